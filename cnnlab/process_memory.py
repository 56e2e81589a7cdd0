"""Memory that processes have in use, as Linux tells it."""

from collections.abc import Iterable
from pathlib import Path

PROCESSES = Path("/proc")


def resident_bytes(processes: Iterable[int], root: Path = PROCESSES) -> int | None:
    """Memory of these processes, by their numbers; None where the system does not tell.

    Units: bytes.
    """
    found = [_resident_bytes(root / str(process) / "status") for process in processes]
    known = [size for size in found if size is not None]
    return sum(known) if known else None


def _resident_bytes(status: Path) -> int | None:
    try:
        lines = status.read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    sizes = [line.split()[1] for line in lines if line.startswith("VmRSS:")]
    return int(sizes[0]) * 1024 if sizes else None
