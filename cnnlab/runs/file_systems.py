"""File systems: whether a folder is on a disk of this machine or comes over a network."""

import contextlib
import os
import re
import sys
from pathlib import Path

# Names that Linux gives to file systems that other machines may write to at the same time.
NETWORK = {
    "9p",
    "afs",
    "beegfs",
    "ceph",
    "cifs",
    "coda",
    "davfs",
    "gfs2",
    "glusterfs",
    "gpfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "ocfs2",
    "orangefs",
    "smb2",
    "smb3",
    "smbfs",
    "vboxsf",
}
# Programs that show another machine's files, by the name after `fuse.`.
OVER_FUSE = {
    "ceph",
    "davfs2",
    "gcsfuse",
    "glusterfs",
    "rclone",
    "s3fs",
    "smbnetfs",
    "sshfs",
    "vmhgfs-fuse",
}
MOUNTS = Path("/proc/self/mountinfo")


def network_kind(folder: Path) -> str | None:
    """By which kind of network file system a folder is reached; None on a disk of this machine.

    Where the system tells nothing of it the answer is None as well.
    """
    if sys.platform == "win32":
        return "a network share" if str(folder.resolve()).startswith("\\\\") else None
    kind = _kind(folder)
    is_network = kind in NETWORK or kind.removeprefix("fuse.") in OVER_FUSE
    return kind if is_network else None


def _kind(folder: Path) -> str:
    """The file system of the mount that is nearest above a folder, as Linux lists them."""
    found: dict[str, str] = {}
    with contextlib.suppress(OSError):
        for line in MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
            before, _, after = line.partition(" - ")
            fields = before.split(" ")
            if len(fields) > 4 and after:
                # A later mount on the same place hides the one before.
                found[_unescaped(fields[4])] = after.split(" ")[0]
    place = Path(os.path.realpath(folder))
    return next((found[str(up)] for up in (place, *place.parents) if str(up) in found), "")


def _unescaped(name: str) -> str:
    r"""A name with its blanks again: the list writes them as `\040`."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), name)
