"""The guard: a run that is unlike those before it is held until an operator releases it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from cgsync.ledger import guard, outbox, runs
from cgsync.model import Allowance, MappedRecord, State


def remember(desk: Any, *sizes: int, source: str = "s", **more: int) -> None:
    """Runs that had so many versions to send."""
    for size in sizes:
        counts = {"read": size + 1, "new": size, **more}
        runs.record(desk.conn, source, desk.now.wall, desk.now.wall, counts)


def run(desk: Any, *batches: Sequence[MappedRecord], new_accounts: int | None = None, first: bool = False) -> Allowance:
    """One run of a source; returns what it still may in the end."""
    allowance = guard.allow(desk.conn, "s", new_accounts, first=first)
    for batch in batches:
        allowance = desk.store(*batch, allowance=allowance).allowance
    return allowance


def states(desk: Any) -> dict[str, str]:
    return {row.reference: row.state for row in outbox.list_rows(desk.conn, desk.now, limit=5_000)}


def records(desk: Any, count: int, start: int = 0) -> list[MappedRecord]:
    return [desk.record(f"r{number}") for number in range(start, start + count)]


@pytest.mark.parametrize(
    ("sizes", "most"),
    [
        ([5] * 9, None),  # nobody knows yet what is usual
        ([5] * 10, 1_000),
        ([0] * 9 + [300], 3_000),
        ([300] + [5] * 30, 1_000),  # that was long ago
    ],
)
def test_a_run_may_send_ten_times_as_much_as_any_before_it(desk: Any, sizes: list[int], most: int | None) -> None:
    remember(desk, *sizes)
    assert guard.allow(desk.conn, "s", None).most_versions == most


def test_a_run_that_found_nothing_tells_nothing_of_what_is_usual(desk: Any) -> None:
    for _ in range(10):
        runs.record(desk.conn, "s", desk.now.wall, desk.now.wall, {}, "no answer")
    assert guard.allow(desk.conn, "s", None) == Allowance()


def test_what_was_held_does_not_make_the_next_surge_usual(desk: Any) -> None:
    remember(desk, *[5] * 10)
    remember(desk, 8_000, guarded=7_990)
    assert guard.allow(desk.conn, "s", None).most_versions == 1_000


def test_one_sources_history_is_not_anothers(desk: Any) -> None:
    remember(desk, *[5] * 10, source="t")
    assert guard.allow(desk.conn, "s", None).most_versions is None


def test_the_rest_of_a_run_that_sends_far_more_than_usual_is_held(desk: Any) -> None:
    remember(desk, *[5] * 10)
    left = run(desk, records(desk, 600), records(desk, 600, start=600), records(desk, 10, start=1_200))
    assert [row.reference for row in desk.due(5_000)] == [f"r{number}" for number in range(1_000)]
    assert states(desk)["r1000"] == states(desk)["r1209"] == State.HELD
    assert left.held == guard.reason(desk.conn, "s")
    assert "more than 1,000 activities" in left.held
    assert desk.balanced()


def test_what_is_unchanged_is_no_part_of_a_surge(desk: Any) -> None:
    remember(desk, *[5] * 10)
    known = records(desk, 990)
    run(desk, known)
    assert not run(desk, known, records(desk, 1_000, start=1_000)).held


def test_the_run_after_a_surge_is_judged_by_itself(desk: Any) -> None:
    remember(desk, *[5] * 10)
    run(desk, records(desk, 1_001))
    assert not run(desk, records(desk, 5, start=2_000)).held
    assert guard.reason(desk.conn, "s")


def test_a_surge_that_a_restart_cut_off_goes_on_as_held(desk: Any) -> None:
    remember(desk, *[5] * 10)
    run(desk, records(desk, 1_001))
    assert run(desk, records(desk, 5, start=2_000), first=True).held
    assert states(desk)["r2000"] == State.HELD


def test_the_rest_of_a_run_that_makes_many_accounts_is_held(desk: Any) -> None:
    batch = [desk.record(f"r{number}", account=f"Account {number}") for number in range(5)]
    left = run(desk, batch, new_accounts=3)
    assert [row.reference for row in desk.due()] == ["r0", "r1", "r2"]
    assert left.held == "more than 3 new accounts in one run, 'Account 3' the first beyond that"
    assert desk.balanced()


def test_two_hundred_new_accounts_are_usual_once_there_is_a_history(desk: Any) -> None:
    assert guard.allow(desk.conn, "s", None).most_accounts is None
    assert guard.allow(desk.conn, "s", 0).most_accounts == 0
    remember(desk, *[5] * 10)
    assert guard.allow(desk.conn, "s", None).most_accounts == 200
    assert guard.allow(desk.conn, "s", 7).most_accounts == 7


def test_an_account_is_new_only_once_however_it_is_written(desk: Any) -> None:
    desk.store(desk.record("old", account="Mueller"))
    names = ["MUELLER", "mueller ", "Möller", "MOLLER", "Möller"]
    batch = [desk.record(f"r{number}", account=name) for number, name in enumerate(names)]
    assert run(desk, batch, new_accounts=1).accounts == 1


def test_an_account_that_another_source_brought_is_known(desk: Any) -> None:
    desk.store(desk.record("a", account="Acme"), source="t")
    assert run(desk, [desk.record("b", account="Acme")], new_accounts=0).held == ""


def test_what_an_operator_wants_is_not_guarded(desk: Any) -> None:
    remember(desk, *[5] * 10)
    stored = desk.store(*records(desk, 1_200), remapped=True)
    assert (stored.allowance, len(stored.due)) == (None, 1_200)


def test_a_release_in_the_middle_of_a_surge_is_for_the_rest_of_it_too(desk: Any) -> None:
    allowance = run(desk, [desk.record("a", account="A"), desk.record("b", account="B")], new_accounts=1)
    outbox.release(desk.conn, ["b"], desk.now)
    guard.lift(desk.conn, "s")
    stored = desk.store(desk.record("c", account="C"), allowance=allowance)
    assert ([row.reference for row in stored.due], stored.allowance.held) == (["c"], "")


def test_the_guard_ends_with_the_last_version_that_was_held(desk: Any) -> None:
    run(desk, [desk.record(name, account=name) for name in "abc"], new_accounts=1)
    outbox.release(desk.conn, ["b"], desk.now)
    guard.lift_where_nothing_is_held(desk.conn)
    assert guard.reason(desk.conn, "s")
    outbox.release(desk.conn, ["c"], desk.now)
    guard.lift_where_nothing_is_held(desk.conn)
    assert guard.reason(desk.conn, "s") is None


def test_a_newer_version_of_what_is_held_stays_held_and_is_no_surge(desk: Any) -> None:
    desk.store(desk.record("a", "A"))
    outbox.hold(desk.conn, ["a"])
    left = run(desk, [desk.record("a", "B")], new_accounts=0)
    assert (states(desk), left.versions, left.held) == ({"a": State.HELD}, 0, "")
