"""The rows in memory."""

from __future__ import annotations

from cgsync.delivery import Rows
from cgsync.model import Due


def row(key: str, version: int = 1) -> Due:
    return Due(key=key, reference=key, version=version, body=b"{}")


def test_rows_come_out_in_order() -> None:
    rows = Rows(most_busy=10)
    rows.offer([row("a"), row("b"), row("c")])
    assert [taken.key for _ in range(3) if (taken := rows.take())] == ["a", "b", "c"]
    assert rows.take() is None


def test_a_newer_version_takes_the_place_of_the_older() -> None:
    rows = Rows(most_busy=10)
    rows.offer([row("a", 1), row("b"), row("a", 2)])
    assert rows.take() == row("a", 2)
    assert rows.waiting == 1


def test_an_older_version_changes_nothing() -> None:
    """What was read from the ledger may be older than what was offered meanwhile."""
    rows = Rows(most_busy=10)
    rows.offer([row("a", 2)])
    rows.offer([row("a", 1)])
    assert rows.take() == row("a", 2)


def test_what_is_busy_is_not_handed_out_twice() -> None:
    rows = Rows(most_busy=10)
    rows.offer([row("a", 1)])
    first = rows.take()
    assert first is not None
    rows.offer([row("a", 1), row("a", 2)])
    assert rows.take() is None
    assert rows.settled([first])  # a newer one is in the ledger


def test_a_settled_row_without_a_newer_one_leaves_nothing_behind() -> None:
    rows = Rows(most_busy=10)
    rows.offer([row("a", 1)])
    first = rows.take()
    assert first is not None
    rows.offer([row("a", 1)])
    assert not rows.settled([first])
    assert (rows.waiting, rows.busy) == (0, 0)


def test_what_is_given_back_is_first_again() -> None:
    rows = Rows(most_busy=10)
    rows.offer([row("a"), row("b")])
    first = rows.take()
    assert first is not None
    rows.give_back(first)
    assert rows.take() == row("a")


def test_what_does_not_fit_is_left_to_the_ledger() -> None:
    rows = Rows(most_busy=10, most_waiting=2)
    assert rows.offer([row("a"), row("b")])
    assert not rows.offer([row("c")])
    assert rows.waiting == 2


def test_unsettled_outcomes_hold_back_the_next_row() -> None:
    rows = Rows(most_busy=2)
    rows.offer([row("a"), row("b"), row("c")])
    first = rows.take()
    assert first is not None
    rows.take()
    assert rows.take() is None
    assert not rows.ready.is_set()
    rows.settled([first])
    assert rows.ready.is_set()
    assert rows.take() == row("c")
