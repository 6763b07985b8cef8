"""One owner: the lock file of a state folder, and who holds it.

A file of its own, since closing any descriptor of the database would drop a lock that SQLite holds on it.
"""

from __future__ import annotations

import fcntl
import os
import time
from dataclasses import dataclass
from pathlib import Path

from cgsync.errors import LedgerError
from cgsync.state import folder

NAME = "lock"
TRIES, PAUSE = 10, 0.02
"""Who asks for the holder takes the lock for a moment; that must not look like a second owner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """The process that holds a state folder, the control socket it listens on, its configuration, if it said so."""

    pid: int
    control: Path | None = None
    config: Path | None = None


class Lock:
    """The held lock of a state folder. The kernel drops it with the process, so a kill leaves none behind."""

    def __init__(self, state_dir: Path) -> None:
        """Raise :class:`LedgerError` that names the holder when there is one."""
        self._file = folder.opened(state_dir / NAME)
        if not _taken(self._file):
            os.close(self._file)
            raise LedgerError(_held(state_dir), hint="stop it first, or give this one a state_dir of its own")
        self.announce(None)

    def announce(self, control: Path | None, config: Path | None = None) -> None:
        """Write down who holds the lock, where it can be spoken to, and from which file it works."""
        text = f"{os.getpid()}\n{control or ''}\n{config or ''}\n".encode()
        os.pwrite(self._file, text, 0)
        os.ftruncate(self._file, len(text))

    def release(self) -> None:
        os.close(self._file)


def lock_holder(state_dir: Path) -> Holder | None:
    """Who holds the lock of ``state_dir``; ``None`` when nobody does. Creates nothing."""
    try:
        file = os.open(state_dir / NAME, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _parse(os.pread(file, 4096, 0))
    else:
        return None
    finally:
        os.close(file)


def _parse(text: bytes) -> Holder:
    pid, control, config, *_ = [*text.decode(errors="replace").split("\n"), "", "", ""]
    return Holder(
        pid=int(pid) if pid.isdecimal() else 0,
        control=Path(control) if control else None,
        config=Path(config) if config else None,
    )


def _taken(file: int) -> bool:
    for _ in range(TRIES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(PAUSE)
        else:
            return True
    return False


def _held(state_dir: Path) -> str:
    holder = lock_holder(state_dir)
    by = f"process {holder.pid}" if holder and holder.pid else "another process"
    return f"{state_dir} is in use by {by}: only one may write it"
