"""The rows in memory."""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from cgsync.delivery import Rows
from cgsync.model import LANES, Due, Lane

LIVE, RETRY, BACKFILL = LANES


def row(key: str, version: int = 1, *, source: str = "", lane: Lane = LIVE) -> Due:
    return Due(key=key, reference=key, version=version, body=b"{}", source=source, lane=lane)


def many(source: str, count: int, lane: Lane = LIVE) -> list[Due]:
    return [row(f"{source}-{lane}-{n}", source=source, lane=lane) for n in range(count)]


def drain(rows: Rows) -> list[Due]:
    """All that waits, in the order in which it is handed out."""
    taken = []
    while (one := rows.take()) is not None:
        taken.append(one)
        rows.settled([one])
    return taken


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


# Lanes and sources


def test_lane_goes_before_lane_whatever_came_first() -> None:
    rows = Rows(most_busy=10)
    rows.offer([*many("s", 3, BACKFILL), *many("s", 2, RETRY), *many("s", 1, LIVE)])
    assert [one.lane for one in drain(rows)] == [LIVE, RETRY, RETRY, BACKFILL, BACKFILL, BACKFILL]


def test_sources_of_a_lane_take_turns() -> None:
    rows = Rows(most_busy=10)
    rows.offer(many("big", 1_000))
    rows.offer(many("small", 3))
    assert [one.source for one in drain(rows)[:7]] == ["big", "small", "big", "small", "big", "small", "big"]


def test_a_source_that_comes_later_waits_for_one_turn_of_each_other() -> None:
    rows = Rows(most_busy=10)
    for name in "abc":
        rows.offer(many(name, 10))
    for _ in range(4):
        if taken := rows.take():
            rows.settled([taken])
    rows.offer(many("d", 1))
    assert [one.source for one in drain(rows)[:4]] == ["b", "c", "a", "d"]


def test_a_newer_version_in_a_better_lane_leaves_the_worse_one() -> None:
    rows = Rows(most_busy=10)
    rows.offer([row("a", 1, lane=BACKFILL), row("b", lane=RETRY), row("a", 2, lane=LIVE)])
    assert drain(rows) == [row("a", 2, lane=LIVE), row("b", lane=RETRY)]


def test_when_it_is_full_the_newest_of_the_longest_queue_in_the_lowest_lane_gives_way() -> None:
    rows = Rows(most_busy=10, most_waiting=6)
    rows.offer([*many("long", 3, BACKFILL), *many("short", 2, BACKFILL), *many("s", 1, LIVE)])
    assert not rows.offer([row("new", lane=LIVE)])
    assert not rows.offer([row("newer", lane=RETRY)])
    left = Counter(one.key for one in drain(rows))
    assert set(left) == {"s-live-0", "new", "newer", "long-backfill-0", "short-backfill-0", "short-backfill-1"}


def test_a_source_alone_in_its_lane_overflows_at_its_end() -> None:
    rows = Rows(most_busy=10, most_waiting=3)
    assert not rows.offer(many("s", 5))
    assert [one.key for one in drain(rows)] == ["s-live-0", "s-live-1", "s-live-2"]


def test_nothing_that_is_live_gives_way_to_what_is_not() -> None:
    rows = Rows(most_busy=10, most_waiting=3)
    rows.offer(many("s", 3, LIVE))
    assert not rows.offer([row("late", lane=RETRY)])
    assert {one.lane for one in drain(rows)} == {LIVE}


# What is taken back


def test_what_is_withdrawn_is_not_handed_out() -> None:
    rows = Rows(most_busy=10)
    rows.offer([row("a"), row("b")])
    rows.withdraw(["a", "unknown"])
    assert drain(rows) == [row("b")]


def test_what_is_withdrawn_while_it_is_busy_is_not_wanted_and_does_not_come_back() -> None:
    rows = Rows(most_busy=10)
    rows.offer([row("a")])
    busy = rows.take()
    assert busy is not None
    assert rows.wanted(busy)
    assert rows.withdraw(["a", "b"]) == ["a"]
    assert not rows.wanted(busy)
    rows.give_back(busy)
    assert (rows.waiting, rows.busy) == (0, 0)


def test_what_is_withdrawn_and_offered_again_is_wanted_again() -> None:
    rows = Rows(most_busy=10)
    rows.offer([row("a")])
    busy = rows.take()
    assert busy is not None
    rows.withdraw(["a"])
    rows.offer([row("a")])
    assert rows.wanted(busy)
    rows.settled([busy])
    rows.offer([row("a", 2)])
    assert rows.take() == row("a", 2)


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


@settings(max_examples=200)
@given(st.integers(0, 2**32))
def test_whatever_is_done_to_it_it_is_the_best_lane_that_goes_and_no_row_is_there_twice(seed: int) -> None:
    chance, rows = random.Random(seed), Rows(most_busy=5, most_waiting=12)
    waiting: dict[str, Due] = {}
    busy: list[Due] = []
    for version in range(1, 80):
        key = chance.choice("abcdefghijklmnopqrst")
        match chance.randrange(5):
            case 0 | 1:
                new = row(key, version, source=chance.choice("xyz"), lane=chance.choice(LANES))
                if not rows.offer([new]):
                    return  # what gives way is shown above
                if all(one.key != key for one in busy):
                    waiting[key] = new
            case 2 if (taken := rows.take()) is not None:
                assert waiting.pop(taken.key) == taken
                assert all(LANES.index(taken.lane) <= LANES.index(other.lane) for other in waiting.values())
                busy.append(taken)
            case 3 if busy:
                back = busy.pop(chance.randrange(len(busy)))
                rows.give_back(back)
                waiting[back.key] = back
            case 4 if busy:
                rows.settled([busy.pop(0)])
        assert (rows.waiting, rows.busy) == (len(waiting), len(busy))
        assert rows.ready.is_set() == bool(waiting and len(busy) < 5)
