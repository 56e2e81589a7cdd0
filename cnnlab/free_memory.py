"""Memory that this machine, or the container around this process, can still give."""

from pathlib import Path

ROOT = Path("/")


def free_bytes(root: Path = ROOT) -> int | None:
    """What could be used now without writing memory to disk; None where nobody says it.

    Units: bytes.
    """
    found = [_machine(root), _container(root / "sys/fs/cgroup")]
    return min((free for free in found if free is not None), default=None)


def _machine(root: Path) -> int | None:
    for line in _text(root / "proc/meminfo").splitlines():
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return int(value.split()[0]) * 1024
    return None


def _container(folder: Path) -> int | None:
    most, used = _text(folder / "memory.max"), _text(folder / "memory.current")
    # "max" is no limit.
    return max(0, int(most) - int(used)) if most.isdigit() and used.isdigit() else None


def _text(file: Path) -> str:
    """What a file says; nothing where it is not there or may not be read."""
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
