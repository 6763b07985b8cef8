"""What was deleted goes from the files too.

The database overwrites what it deletes, but copies stay behind in pages whose cells were moved to others, and in the
log. So the file is written anew, and its log emptied.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from cgsync.errors import LedgerError
from cgsync.ledger import room

MOMENT = 250
"""Milliseconds that the writer waits for a reader."""


def require_room(file: Path, reserve: int) -> None:
    """Raise unless there is room for what :func:`rewrite` needs for a while: the file once more, and in the log."""
    needed, free = 2 * file.stat().st_size, room.free(file.parent)
    if free - needed < reserve:
        raise LedgerError(
            f"{file} cannot be written anew: that takes {room.words(needed)}, {room.words(free)} are free there, "
            f"{room.words(reserve)} are kept in reserve",
            hint="make room, and say it again",
        )


def rewrite(link: sqlite3.Connection) -> None:
    """Write the whole file anew, from what is in its tables. It takes ten seconds a gigabyte, or more."""
    link.execute("VACUUM").close()


def empty_log(link: sqlite3.Connection) -> bool:
    """Take the log into the file and cut it to nothing; false when somebody still reads an earlier state."""
    patience = link.execute("PRAGMA busy_timeout").fetchone()[0]
    link.execute(f"PRAGMA busy_timeout = {MOMENT}").close()
    try:
        busy, *_ = link.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy
    finally:
        link.execute(f"PRAGMA busy_timeout = {patience}").close()
