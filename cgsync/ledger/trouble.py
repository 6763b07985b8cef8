"""What the database says when something is wrong, in words that an operator can act on."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from cgsync.errors import LedgerError

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
    orig = error.orig if isinstance(error, DBAPIError) else error
    name = getattr(orig, "sqlite_errorname", "") or ""
    family = "_".join(name.split("_")[:2])
    words, hint = WORDS.get(family, (str(orig), ""))
    if family in DAMAGED:
        hint = f"keep the file for a repair, {_backup(file)}, then run `cgsync doctor --restored`"
    return LedgerError(f"{file}: {words}", hint=hint)


def _backup(file: Path) -> str:
    backups = sorted(file.parent.glob(f"{file.name}.backup-*"), key=lambda path: path.stat().st_mtime)
    return f"put {backups[-1]} in its place" if backups else "put a backup in its place"
