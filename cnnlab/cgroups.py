"""Limits that a container puts on time and memory: Linux control groups, both versions."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath

ROOT = Path("/")


@cache
def cpu_limit(root: Path = ROOT) -> float | None:
    """Processors' worth of time that this process may use; None where nothing limits it.

    A group can be inside others, each with a quota of its own; the smallest holds. It is read
    once: every page asks for it whenever it is drawn.
    """
    quotas = [found for folder in _folders(root, "cpu") if (found := _quota(folder)) is not None]
    return min(quotas, default=None)


@cache
def memory_limit(root: Path = ROOT) -> int | None:
    """Memory that this process may use with those in its group; None where nothing limits it.

    Units: bytes.
    """
    limits = [found for folder in _folders(root, "memory") if (found := _bytes(folder)) is not None]
    return min(limits, default=None)


def _folders(root: Path, controller: str) -> Iterator[Path]:
    """This process's group in every hierarchy that has a controller, and those around it."""
    groups = dict(_groups(root, controller))
    for version, mounted, mount_point in _mounts(root, controller):
        if version not in groups:
            continue
        group, inside = PurePosixPath(groups[version]), PurePosixPath("/")
        # A container may see only its own branch, mounted as if it were the whole tree.
        if group.is_relative_to(mounted):
            inside = PurePosixPath("/") / group.relative_to(mounted)
        for part in (inside, *inside.parents):
            yield root / mount_point.relative_to("/") / part.relative_to("/")


def _groups(root: Path, controller: str) -> Iterator[tuple[str, str]]:
    """Where the process is: for the controller's name (version 1) and "" (version 2)."""
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, group = line.split(":", 2)
        if not controllers or controller in controllers.split(","):
            yield controller if controllers else "", group


def _mounts(root: Path, controller: str) -> Iterator[tuple[str, PurePosixPath, PurePosixPath]]:
    """Version as above, the part of the tree that is mounted, and where."""
    for line in _lines(root / "proc/self/mountinfo"):
        before, _, after = line.partition(" - ")
        mounted, mount_point = before.split()[3:5]
        kind, _, options = after.split(" ", 2)
        if kind == "cgroup2":
            yield "", PurePosixPath(mounted), PurePosixPath(mount_point)
        elif kind == "cgroup" and controller in options.split(","):
            yield controller, PurePosixPath(mounted), PurePosixPath(mount_point)


def _quota(folder: Path) -> float | None:
    """Time per period that a group may use: `max 100000`, or a quota below 0, is no limit."""
    if lines := _lines(folder / "cpu.max"):
        quota, period = lines[0].split()
    else:
        files = (folder / "cpu.cfs_quota_us", folder / "cpu.cfs_period_us")
        quota, period = (next(iter(_lines(file)), "max") for file in files)
    if "max" in (quota, period) or int(quota) <= 0:
        return None
    return int(quota) / int(period)


def _bytes(folder: Path) -> int | None:
    """Memory that a group may use; version 1 writes a number larger than any memory for none."""
    for name in ("memory.max", "memory.limit_in_bytes"):
        if lines := _lines(folder / name):
            return int(lines[0]) if lines[0].isdigit() and int(lines[0]) < 2**60 else None
    return None


def _lines(file: Path) -> list[str]:
    """A file's lines; none where it is not there or may not be read."""
    try:
        return file.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
