"""The state folder: ours alone (0700, files 0600), and on a disk of this machine."""

from __future__ import annotations

import os
import stat
from errno import EROFS
from pathlib import Path

from cgsync.errors import LedgerError

MOUNTS = Path("/proc/self/mountinfo")
NETWORK = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "9p", "afs", "fuse.sshfs", "fuse.glusterfs"}
"""File systems on which neither locks nor the shared memory of SQLite's log can be relied on."""


def prepare(state_dir: Path) -> None:
    """Make the folder, or take it over; raise :class:`LedgerError` when it is not ours or not local."""
    try:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        info = state_dir.stat()
        if info.st_uid != os.geteuid():
            raise LedgerError(
                f"{state_dir} belongs to user {info.st_uid}, this runs as {os.geteuid()}",
                hint="run it as the owner, for instance with `sudo -u`, or chown the folder",
            )
        if stat.S_IMODE(info.st_mode) != 0o700:
            state_dir.chmod(0o700)
    except OSError as error:
        raise LedgerError(f"{state_dir} cannot be used as the state folder: {error.strerror}") from error
    _refuse_network(state_dir)


def guard(file: Path) -> None:
    """Make sure that ``file`` exists and only its owner may read it, before anything is written into it."""
    handle = opened(file)
    try:
        os.fchmod(handle, 0o600)
    finally:
        os.close(handle)


def opened(file: Path) -> int:
    """A descriptor of ``file``, made when it is not there; :class:`LedgerError` when that cannot be."""
    try:
        return os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        hint = "is the disk mounted read-only? nothing is sent until it is writable" if error.errno == EROFS else ""
        raise LedgerError(f"{file} cannot be written: {error.strerror}", hint=hint) from error


def _refuse_network(state_dir: Path) -> None:
    kind = filesystem(state_dir)
    if kind in NETWORK:
        raise LedgerError(f"{state_dir} is on {kind}", hint="the ledger needs a local disk: set state_dir: to one")


def filesystem(path: Path, mounts: Path = MOUNTS) -> str:
    """The type of the file system that ``path`` lies on, or empty when the kernel does not tell."""
    try:
        lines = mounts.read_text().splitlines()
    except OSError:
        return ""
    found, kind = Path("/"), ""
    resolved = path.resolve()
    for line in lines:
        before, _, after = line.partition(" - ")
        point = Path(before.split()[4].replace("\\040", " "))
        if resolved.is_relative_to(point) and len(point.parts) >= len(found.parts):
            found, kind = point, after.split()[0]
    return kind
