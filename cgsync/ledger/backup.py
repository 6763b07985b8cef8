"""Checked copies of the ledger, made while it is in use; a copy gets its name when it is sound and on the disk."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from cgsync.errors import LedgerError
from cgsync.ledger import check, copies, room
from cgsync.ledger.copies import Backup
from cgsync.ledger.database import uri
from cgsync.state import folder

PAGES = 256
"""Pages between two looks at whether to go on: 1 MiB."""

Proceed = Callable[[], object]
"""Called now and then during long work; what it raises ends the work."""


def back_up(file: Path, target: Path, *, reserve: int = 0, proceed: Proceed = lambda: None) -> Backup:
    """Copy the ledger ``file`` to ``target``, replacing what is there once the copy is complete and sound.

    What is copied is one state of the ledger; who writes goes on. At least ``reserve`` bytes of the target's disk stay
    free. Raises :class:`LedgerError` when there is no good copy in the end, and :class:`LedgerDamaged` when that is
    because the ledger itself is damaged; nothing is left behind then.
    """
    begun = datetime.now(UTC)
    part = target.with_name(f".{target.name}.part")
    try:
        _require_room(file, target.parent, reserve)
        folder.guard(part)
        try:
            _copy(file, part, proceed)
            _require_sound(file, part, proceed)
            _sync(part)
            part.replace(target)
            _sync(target.parent)
        finally:
            _discard(part)
    except OSError as error:
        raise LedgerError(f"no backup in {target.parent}: {error.strerror}", hint=_hint(error)) from error
    except sqlite3.Error as error:
        raise LedgerError(f"no backup in {target.parent}: {error}", hint="is there room on its disk?") from error
    return Backup(path=target, at=begun, size=target.stat().st_size)


def add_to(place: Path, file: Path, *, keep: int, reserve: int, proceed: Proceed = lambda: None) -> Backup:
    """Add a copy, named by the time, to the folder ``place``; note it as the newest, and keep the ``keep`` newest."""
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = back_up(file, copies.named(place, datetime.now(UTC)), reserve=reserve, proceed=proceed)
        copies.note(file, made.path)
        copies.prune(place, keep)
    except OSError as error:
        raise LedgerError(f"no backup in {place}: {error.strerror}", hint=_hint(error)) from error
    return made


def _require_room(file: Path, place: Path, reserve: int) -> None:
    needed, free = file.stat().st_size, room.free(place)
    if free - needed < reserve:
        raise LedgerError(
            f"no backup in {place}: a copy takes {room.words(needed)}, {room.words(free)} are free there, "
            f"{room.words(reserve)} are kept in reserve",
            hint="make room, or name a folder on another disk: `backup:` in the configuration",
        )


def _require_sound(file: Path, part: Path, proceed: Proceed) -> None:
    if findings := check.findings(part, proceed):
        check.require_sound(file, proceed)  # if it is the ledger, that is the news
        raise LedgerError(
            f"no backup in {part.parent}: the copy came out damaged ({findings})",
            hint="is that disk in order? `journalctl -k`",
        )


def _copy(file: Path, part: Path, proceed: Proceed) -> None:
    with closing(sqlite3.connect(uri(file, "ro"), uri=True, isolation_level=None)) as origin:
        # the transaction is opened here, and not by the copying: that would begin anew with each commit of another
        origin.execute("BEGIN")
        origin.execute("SELECT count(*) FROM sqlite_master").fetchone()
        with closing(sqlite3.connect(part, isolation_level=None)) as copy:
            copy.execute("PRAGMA journal_mode = OFF")
            copy.execute("PRAGMA synchronous = OFF")  # it is synchronised as a whole, before it gets its name
            origin.backup(copy, pages=PAGES, progress=lambda *_: proceed())
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _discard(part: Path) -> None:
    for ending in ("", "-wal", "-shm", "-journal"):
        part.with_name(part.name + ending).unlink(missing_ok=True)


def _hint(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "may the daemon write there? under systemd, a drop-in with ReadWritePaths= says so"
    return "is the folder there, and is there room?"
