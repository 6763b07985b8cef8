"""Connections to the SQLite file, set up so that what was committed is on the disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, StaticPool, create_engine, event
from sqlalchemy.exc import DBAPIError

from cgsync.ledger import trouble

PATIENCE = 5.0

WRITER = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # without it a power cut takes commits back that were acknowledged
    "PRAGMA cache_size = -16000",
    "PRAGMA journal_size_limit = 67108864",
    "PRAGMA secure_delete = ON",  # what is deleted, by age or by name, is overwritten; it costs nothing measurable
)
READER = ("PRAGMA query_only = ON", "PRAGMA cache_size = -4000")


def writer(file: Path, *, patience: float = PATIENCE) -> Engine:
    """The engine of the one connection that writes. Each transaction of it takes the write lock at its start.

    ``patience``: seconds to wait for another program, such as a sqlite3 shell, to let go of the file.
    """
    return _engine(file, "rw", WRITER, "BEGIN IMMEDIATE", patience)


def reader(file: Path) -> Engine:
    """An engine of one connection that cannot write; each transaction of it sees one state of the file."""
    return _engine(file, "ro", READER, "BEGIN", PATIENCE)


def uri(file: Path, mode: str) -> str:
    """The file as SQLite wants it named, opened ``ro`` or ``rw``."""
    return f"file:{quote(str(file))}?mode={mode}"


def _engine(file: Path, mode: str, pragmas: tuple[str, ...], begin: str, patience: float) -> Engine:
    def connect() -> sqlite3.Connection:
        # isolation_level=None: the driver's own BEGIN comes after the first SELECT, and not at all before DDL
        made = sqlite3.connect(
            uri(file, mode), uri=True, timeout=patience, isolation_level=None, check_same_thread=False
        )
        for pragma in pragmas:
            made.execute(pragma).close()
        return made

    def start(conn: Connection) -> Any:
        conn.exec_driver_sql(begin)

    # one connection for the engine's whole life: each engine is used by one thread only
    engine = create_engine("sqlite://", creator=connect, poolclass=StaticPool)
    event.listen(engine, "begin", start)
    return engine


@contextmanager
def translated(file: Path) -> Iterator[None]:
    """Turn what the database raises into a :class:`LedgerError`."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        raise trouble.translate(error, file) from error


def in_transaction(conn: Connection) -> bool:
    """Whether the database still has the transaction open: a full disk makes SQLite roll back on its own."""
    return link(conn).in_transaction


def link(conn: Connection) -> sqlite3.Connection:
    """The driver's own connection, which begins no transaction by itself."""
    bare = conn.connection.driver_connection
    assert isinstance(bare, sqlite3.Connection)
    return bare


@contextmanager
def watched(conn: Connection, proceed: Callable[[], object], steps: int) -> Iterator[None]:
    """Call ``proceed`` every so many steps of the database's machine; what it raises ends the statement."""
    bare = link(conn)

    def look() -> int:
        proceed()
        return 0

    bare.set_progress_handler(look, steps)
    try:
        yield
    finally:
        bare.set_progress_handler(None, 0)
