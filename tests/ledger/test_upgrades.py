"""A ledger that an earlier release wrote goes on with all that it holds."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from cgsync.ledger import Instant, Ledger, accounts, books, check, checkpoints, outbox, rejects, settlements
from cgsync.ledger.schema import REVISIONS
from tests.hand import HandClock

FIXTURES = Path(__file__).parents[1] / "fixtures"
OLDER = REVISIONS[:-1]


@pytest.fixture
def upgraded(tmp_path: Path, request: pytest.FixtureRequest, open_ledger: Callable[..., Ledger]) -> Ledger:
    """A ledger with a row in each state, as that release left it, opened by this program."""
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    link = sqlite3.connect(state / "ledger.sqlite3")
    link.executescript((FIXTURES / f"ledger-{request.param}.sql").read_text())
    link.close()
    return open_ledger(receiver="https://receiver.example/activities as someone")


@pytest.mark.parametrize("upgraded", OLDER, indirect=True)
async def test_every_row_is_where_it_was(upgraded: Ledger) -> None:
    now = Instant.of(HandClock())
    assert (await upgraded.read(books.audit)).ok
    assert await upgraded.read(books.states) == {"desk": {"pending": 2, "refused": 1, "held": 1}}
    assert {due.reference for due in await upgraded.read(partial(outbox.due, now=now, limit=10))} >= {"t-3", "t-5"}


@pytest.mark.parametrize("upgraded", OLDER, indirect=True)
async def test_cursor_rejects_and_what_is_to_be_settled_are_kept(upgraded: Ledger) -> None:
    assert await upgraded.read(partial(checkpoints.load, source="desk")) == {"p": "6"}
    assert {each.kind.value for each in await upgraded.read(rejects.list_each)} == {"invalid", "refused"}
    assert [item.value for item in await upgraded.read(settlements.pending)] == [{"move": "a.csv"}]


@pytest.mark.parametrize("upgraded", OLDER, indirect=True)
async def test_accounts_that_were_sent_before_are_known(upgraded: Ledger) -> None:
    assert await upgraded.read(partial(accounts.unknown, names=["ACME", "Zeta"])) == {"zeta": "Zeta"}


@pytest.mark.parametrize("upgraded", OLDER, indirect=True)
async def test_a_copy_of_what_the_earlier_release_wrote_is_beside_it(upgraded: Ledger) -> None:
    [copy] = upgraded.file.parent.glob("*.backup-*")
    link = sqlite3.connect(copy)
    assert link.execute("SELECT version_num FROM alembic_version").fetchone() == (OLDER[0],)
    link.close()


def test_every_released_schema_has_its_fixture() -> None:
    assert {path.stem.removeprefix("ledger-") for path in FIXTURES.glob("ledger-*.sql")} == set(OLDER)


async def test_an_upgrade_tells_what_takes_so_long_and_its_copy_is_sound(
    tmp_path: Path, open_ledger: Callable[..., Ledger]
) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    link = sqlite3.connect(state / "ledger.sqlite3")
    link.executescript((FIXTURES / f"ledger-{OLDER[0]}.sql").read_text())
    link.close()
    said: list[str] = []
    ledger = open_ledger(receiver="https://receiver.example/activities as someone", tell=said.append)
    assert [words.partition(" the ledger")[0] for words in said] == ["copying", "upgrading"]
    [copy] = state.glob("*.backup-*")
    assert check.findings(copy) == ""
    assert copy.stat().st_mode & 0o777 == 0o600
    ledger.close(clean=True)
    open_ledger(receiver="https://receiver.example/activities as someone", tell=said.append)
    assert len(said) == 2, "with nothing to do there is nothing to tell"
