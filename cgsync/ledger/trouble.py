"""What the database says when something is wrong, in words that an operator can act on."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from cgsync.errors import LedgerDamaged, LedgerError
from cgsync.ledger import copies

WORDS = {
    "SQLITE_FULL": ("the disk is full", "make room; nothing that was stored is lost, go on with a restart"),
    "SQLITE_READONLY": ("the file is read-only", "is the disk mounted read-only? nothing is sent until it is writable"),
    "SQLITE_IOERR": ("the disk reports an error", "look into the kernel's log: `journalctl -k`"),
    "SQLITE_CORRUPT": ("the file is damaged", ""),
    "SQLITE_NOTADB": ("the file is not a database", ""),
    "SQLITE_BUSY": ("another program holds the file", "close what has it open, for instance a sqlite3 shell"),
    "SQLITE_LOCKED": ("another program holds the file", "close what has it open, for instance a sqlite3 shell"),
    "SQLITE_CANTOPEN": ("the file cannot be opened", "who owns the state folder?"),
    "SQLITE_PERM": ("the file cannot be opened", "who owns the state folder?"),
}
DAMAGED = {"SQLITE_CORRUPT", "SQLITE_NOTADB"}


def translate(error: DBAPIError | sqlite3.Error, file: Path) -> LedgerError:
    """A :class:`LedgerError` that says what to do; raise it ``from`` the original."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    family = _family(origin)
    words, hint = WORDS.get(family, (str(origin), ""))
    if family in DAMAGED:
        return damaged(file, words)
    return LedgerError(f"{file}: {words}", hint=hint)


def is_damage(error: sqlite3.Error) -> bool:
    """Whether it is the content of the file that is wrong."""
    return _family(error) in DAMAGED


def damaged(file: Path, words: str) -> LedgerDamaged:
    """The error for a ledger with damaged content: it names the newest good copy."""
    copy = copies.newest(file)
    put = f"copy {copy} to {file}" if copy else f"put a backup in the place of {file}"
    return LedgerDamaged(
        f"{file}: {words}",
        hint=f"stop the daemon, move {file}* away for a repair, {put}, then run `cgsync doctor --restored`",
    )


def _family(error: BaseException | None) -> str:
    """``SQLITE_IOERR`` for all errors of that family."""
    return "_".join(getattr(error, "sqlite_errorname", "").split("_")[:2])
