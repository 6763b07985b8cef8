"""The migrations make the schema that the program works with, and refuse what they cannot read."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

import cgsync
from cgsync.errors import LedgerRefused
from cgsync.ledger import Ledger, migrate
from cgsync.ledger.schema import REVISIONS, metadata


def test_the_program_knows_exactly_the_migrations_there_are() -> None:
    script = ScriptDirectory(str(migrate.MIGRATIONS))
    assert tuple(reversed([each.revision for each in script.walk_revisions()])) == REVISIONS


def test_the_migrations_make_the_tables_as_they_are_declared(engine: Engine) -> None:
    with engine.connect() as conn, conn.begin():
        assert compare_metadata(MigrationContext.configure(conn), metadata) == []


def test_partial_indexes_are_those_that_are_declared(engine: Engine) -> None:
    """Alembic does not compare the condition of an index."""
    with engine.connect() as conn, conn.begin():
        made: dict[str, str] = {
            row.name: row.sql or "" for row in conn.exec_driver_sql("SELECT * FROM sqlite_master WHERE type = 'index'")
        }
    for table in metadata.tables.values():
        for index in table.indexes:
            condition = index.dialect_options["sqlite"]["where"]
            words = str(condition.compile(compile_kwargs={"literal_binds": True})) if condition is not None else ""
            assert made[str(index.name)].partition(" WHERE ")[2] == words.replace(f"{table.name}.", "")


def raise_revision(state: Path, revision: str) -> None:
    link = sqlite3.connect(state / "ledger.sqlite3")
    link.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    link.execute("UPDATE meta SET value = '9.1' WHERE name = 'written_by'")
    link.commit()
    link.close()


def test_a_newer_schema_is_refused_with_the_version_that_reads_it(
    open_ledger: Callable[..., Ledger], tmp_path: Path
) -> None:
    open_ledger().close()
    raise_revision(tmp_path / "state", "9999")
    with pytest.raises(LedgerRefused, match=rf"schema 9999, written by cgsync 9\.1; this is {cgsync.__version__}"):
        open_ledger()
    assert LedgerRefused.exit_status == 78


def test_alembic_is_not_imported_when_there_is_nothing_to_do(
    open_ledger: Callable[..., Ledger], tmp_path: Path
) -> None:
    open_ledger().close()
    code = (
        "import sys; from pathlib import Path; from cgsync.clock import SystemClock; from cgsync.ledger import Ledger; "
        "Ledger.open(Path(sys.argv[1]), receiver='r', clock=SystemClock()).close(); "
        "print('alembic' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "state")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "False\n"


def test_a_creation_that_was_interrupted_is_done_again(open_ledger: Callable[..., Ledger], tmp_path: Path) -> None:
    """A kill after the file was made and before its tables were leaves an empty one."""
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    link = sqlite3.connect(state / "ledger.sqlite3")
    link.execute("PRAGMA journal_mode = WAL")
    link.close()
    ledger: Any = open_ledger()
    assert ledger.file.exists()
