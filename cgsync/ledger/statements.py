"""Statements written once in SQLAlchemy Core, and sent as the text they compile to where every row counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from operator import itemgetter
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import (
    ColumnClause,
    ColumnCollection,
    ColumnElement,
    Connection,
    Delete,
    Insert,
    Select,
    Table,
    Update,
    literal_column,
)
from sqlalchemy.dialects import sqlite

T = TypeVar("T")
Build: TypeAlias = "Callable[[Connection], Insert | Update | Delete | Select[Any]]"
Compiled: TypeAlias = tuple[str, tuple[str, ...], Mapping[str, Any]]
"""The text, the names of its parameters in their order, and those that have a value already."""

CHUNK = 1000
"""Values in one query: SQLite takes 32,766 parameters."""
THESE: ColumnClause[Any] = literal_column("__these__")
"""What a select for :func:`find` compares with: ``column.in_([THESE])``."""


def begins(column: ColumnElement[str], text: str) -> ColumnElement[bool]:
    """Whether it is that text, or that and more behind a colon, as keys of several parts are written."""
    return (column == text) | ((column >= f"{text}:") & (column < f"{text};"))


def upsert(
    conn: Connection, table: Table, on: Sequence[str], new: Callable[[ColumnCollection[str, Any]], Mapping[str, Any]]
) -> Insert:
    """An insert that, where a row with the same ``on`` is there, sets what ``new`` makes of the excluded row."""
    if conn.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql  # a tenth of what all of SQLAlchemy takes to import

        other = postgresql.insert(table)
        return other.on_conflict_do_update(index_elements=on, set_=dict(new(other.excluded)))
    statement = sqlite.insert(table)
    return statement.on_conflict_do_update(index_elements=on, set_=dict(new(statement.excluded)))


def run_many(conn: Connection, build: Build, rows: Sequence[Mapping[str, Any]]) -> None:
    """Execute the statement once per row, past the processing of parameters and results: half the time a row.

    ``build`` is a module's function; what it compiles to is kept with the connection. The first row names the
    columns. Values must be what the driver takes as they are: text, numbers, bytes, ``None``.
    """
    if rows:
        columns = tuple(rows[0])
        run_tuples(conn, build, columns, [tuple([row[name] for name in columns]) for row in rows])


def run_tuples(conn: Connection, build: Build, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
    """The same for rows that hold the values of ``columns`` in their order."""
    if rows:
        text, names, _ = _compiled(conn, build, columns)
        in_order = rows if names == columns else map(itemgetter(*map(columns.index, names)), rows)
        conn.exec_driver_sql(text, list(in_order))


def fetch(conn: Connection, build: Build, values: Mapping[str, Any]) -> Sequence[Any]:
    """The rows of a select with these values for its parameters; what it compares with by itself stays."""
    text, names, own = _compiled(conn, build, ())
    chosen = {**own, **values}
    return conn.exec_driver_sql(text, tuple([chosen[name] for name in names])).all()


def find(conn: Connection, build: Build, values: Iterable[Any]) -> Iterator[Any]:
    """The rows that a select finds for these values, which stand for its :data:`THESE`.

    SQLAlchemy's own work for each value of an IN costs more than the search for it.
    """
    text, *_ = _compiled(conn, build, ())
    for chunk in chunks(values):
        places = ", ".join("?" * len(chunk))
        yield from conn.exec_driver_sql(text.replace(THESE.name, places), tuple(chunk)).all()


def _compiled(conn: Connection, build: Build, columns: tuple[str, ...]) -> Compiled:
    known: dict[Any, Compiled] = conn.info.setdefault("compiled", {})
    if (build, columns) not in known:
        compiled = build(conn).compile(dialect=conn.dialect, column_keys=list(columns))
        assert compiled.positiontup is not None, "the driver takes parameters by position"
        known[build, columns] = str(compiled), tuple(compiled.positiontup), compiled.params
    return known[build, columns]


def chunks(values: Iterable[T]) -> Iterator[Sequence[T]]:
    """The values in as many lists as it takes for one query each."""
    left = iter(values)
    while chunk := list(islice(left, CHUNK)):
        yield chunk
