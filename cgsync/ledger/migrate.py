"""Bring the schema of a file to the one that this program works with. Alembic is imported only when it must."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, inspect, select, text

import cgsync
from cgsync.errors import LedgerError, LedgerRefused
from cgsync.ledger import folder, meta
from cgsync.ledger.schema import REVISIONS

MIGRATIONS = Path(__file__).parent / "migrations"
WRITTEN_BY = "written_by"


def bring_up(engine: Engine, file: Path) -> None:
    """Create the tables or migrate them, in one transaction, with a copy of an older file beside it."""
    with engine.begin() as conn:
        stored = revision(conn, file)
        if stored == REVISIONS[-1]:
            return
        if stored is not None:
            back_up(file, stored)
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


def back_up(file: Path, stored: str) -> Path:
    """Copy the file as it stands beside it, named by its schema, and on the disk when this returns."""
    copy = file.with_name(f"{file.name}.backup-{stored}")
    copy.unlink(missing_ok=True)
    folder.guard(copy)
    origin = sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)
    target = sqlite3.connect(copy)
    try:
        origin.backup(target)
    finally:
        target.close()
        origin.close()
    handle = os.open(copy, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    return copy


def upgrade(conn: Connection) -> None:
    """Run the migrations that are missing, inside the transaction of ``conn``."""
    from alembic import command  # here: a fifth of a second and 10 MB, needed once per schema
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = conn
    command.upgrade(config, "head")
