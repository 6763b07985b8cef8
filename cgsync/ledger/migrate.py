"""Bring the schema of a file to the one that this program works with. Alembic is imported only when it must."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, select, text

import cgsync
from cgsync.errors import LedgerError, LedgerRefused
from cgsync.ledger import backup, database, meta
from cgsync.ledger.schema import REVISIONS

MIGRATIONS = Path(__file__).parent / "migrations"
WRITTEN_BY = "written_by"
STEPS = 100_000
"""Steps of the database's machine between two looks at the time."""
WORD_EVERY = 5.0
"""Seconds between two words to who waits."""


def bring_up(engine: Engine, file: Path, tell: Callable[[str], object] = lambda _: None) -> None:
    """Create the tables or migrate them, in one transaction, with a checked copy of an older file beside it.

    ``tell`` hears what is done, every few seconds: both take minutes where there are millions of rows.
    """
    with engine.begin() as conn:
        stored = revision(conn, file)
        if stored == REVISIONS[-1]:
            return
        upgrading = _Word(tell, f"upgrading the ledger to schema {REVISIONS[-1]}")
        if stored is not None:
            saved = file.with_name(f"{file.name}.backup-{stored}")
            backup.back_up(file, saved, proceed=_Word(tell, f"copying the ledger to {saved} before its upgrade"))
            upgrading()
        with database.watched(conn, upgrading, STEPS):
            upgrade(conn)
        meta.put(conn, WRITTEN_BY, cgsync.__version__)


def revision(conn: Connection, file: Path) -> str | None:
    """The schema of the file, ``None`` when it is empty; raise :class:`LedgerRefused` when it is not ours to read."""
    tables = set(inspect(conn).get_table_names())
    if not tables:
        return None
    if "alembic_version" not in tables:
        raise LedgerError(f"{file} is a database, but not a ledger of cgsync", hint="set state_dir: to another folder")
    stored = conn.execute(select(text("version_num")).select_from(text("alembic_version"))).scalar_one()
    if stored not in REVISIONS:
        by = meta.get(conn, WRITTEN_BY) or "a newer version"
        raise LedgerRefused(
            f"{file} has schema {stored}, written by cgsync {by}; this is {cgsync.__version__} and reads up to "
            f"{REVISIONS[-1]}",
            hint=f"run cgsync {by} or newer; what was backed up before the migration is {file}.backup-*",
        )
    return str(stored)


def upgrade(conn: Connection) -> None:
    """Run the migrations that are missing, inside the transaction of ``conn``."""
    from alembic import command  # here: a fifth of a second and 10 MB, needed once per schema
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = conn
    command.upgrade(config, "head")


class _Word:
    """Says the same again and again, now and every few seconds in which it is called."""

    def __init__(self, tell: Callable[[str], object], words: str) -> None:
        self._tell = tell
        self._words = words
        self._next = 0.0

    def __call__(self) -> None:
        if time.monotonic() >= self._next:
            self._tell(self._words)
            self._next = time.monotonic() + WORD_EVERY
