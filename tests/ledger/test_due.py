"""What is due: lane by lane, in equal shares, found without reading what is not; and the lane of a row."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from sqlalchemy import insert

from cgsync.ledger import outbox
from cgsync.ledger.schema import activity, payload
from cgsync.model import Again, Delivered, Lane, Refused, Result

FAILED = Again(reason="503", status=503, doubt=True)
THROTTLED = Again(reason="429", status=429, counted=False, gate=True)


def crowd(desk: Any, count: int, source: str = "s", *, lane: str = "live", due: float | None = 0.0) -> None:
    """So many copies of a row that waits."""
    [first] = desk.store(desk.record(f"{source}-{lane}-{due}"), source=source, lane=Lane(lane)).due
    row = desk.row(first.reference)._asdict()
    numbers = range(row["seq"] + 1, row["seq"] + count)
    state = "delivered" if due is None else "pending"
    copies = [{**row, "seq": seq, "key": f"k{seq}", "due": due, "state": state} for seq in numbers]
    desk.conn.execute(insert(activity), copies)
    desk.conn.execute(insert(payload), [{"seq": seq, "body": b"", "record": b""} for seq in numbers])


def references(desk: Any, limit: int = 100) -> list[str]:
    return [due.reference for due in desk.due(limit)]


def test_live_goes_before_what_is_tried_again_and_that_before_what_is_caught_up_on(desk: Any) -> None:
    desk.store(desk.record("backfill"), lane=Lane.BACKFILL)
    [failed] = desk.store(desk.record("retry")).due
    desk.settle(failed, FAILED)
    desk.clock.seconds += 10
    desk.store(desk.record("live"))
    assert references(desk) == ["live", "retry", "backfill"]
    assert references(desk, 2) == ["live", "retry"]
    assert [due.lane for due in desk.due()] == ["live", "retry", "backfill"]


def test_a_source_with_much_to_send_leaves_its_share_to_each_other(desk: Any) -> None:
    crowd(desk, 500)
    desk.clock.seconds += 10
    desk.store(*(desk.record(f"t{n}") for n in range(30)), source="t")
    assert Counter(due.source for due in desk.due(100)) == {"s": 70, "t": 30}
    assert Counter(due.source for due in desk.due(40)) == {"s": 20, "t": 20}
    assert len(desk.due(7)) == 7


def test_the_longest_waiting_of_each_source_come_first(desk: Any) -> None:
    for name in "abc":
        desk.store(desk.record(name))
        desk.clock.seconds += 1
    assert references(desk, 2) == ["a", "b"]


def test_what_waits_for_a_time_takes_no_share(desk: Any) -> None:
    [due] = desk.store(desk.record("later"), source="t").due
    desk.settle(due, Again(reason="503"), retry_in=60)
    [due] = desk.store(desk.record("later too")).due
    desk.settle(due, Again(reason="503"), retry_in=60)
    crowd(desk, 10, lane="retry")
    assert len(desk.due(4)) == 4


def test_the_next_time_is_told_though_others_are_due(desk: Any) -> None:
    assert outbox.next_due(desk.conn, desk.now) is None
    [due] = desk.store(desk.record("a"), source="t").due
    desk.settle(due, Again(reason="503"), retry_in=60)
    desk.store(desk.record("b"))
    assert outbox.next_due(desk.conn, desk.now) == 60


def test_what_is_due_comes_from_the_index_with_a_hundred_thousand_rows_around_it(desk: Any) -> None:
    crowd(desk, 50_000, due=None)
    crowd(desk, 50_000, due=9e9)
    crowd(desk, 2)
    assert work(desk) < 20


def work(desk: Any) -> int:
    """Steps of the database's machine that it takes to say what is due, in hundreds."""
    steps = Counter[str]()
    link = desk.conn.connection.driver_connection
    link.set_progress_handler(lambda: steps.update("s"), 100)
    try:
        assert len(desk.due(10)) >= 2
        assert outbox.next_due(desk.conn, desk.now) is not None
    finally:
        link.set_progress_handler(None, 0)
    return steps.total()


# The lane of a row


def test_an_attempt_that_counts_costs_the_place_among_what_is_live(desk: Any) -> None:
    [due] = desk.store(desk.record("a")).due
    desk.settle(due, THROTTLED)
    assert [row.lane for row in desk.due()] == ["live"]
    desk.settle(due, FAILED)
    assert [row.lane for row in desk.due()] == ["retry"]


def test_a_new_version_is_live_again(desk: Any) -> None:
    [due] = desk.store(desk.record("a")).due
    desk.settle(due, Again(reason="503", status=503))
    [newer] = desk.store(desk.record("a", "B")).due
    assert (newer.lane, newer.attempts, newer.failing_for) == ("live", 0, 0)


def test_what_is_caught_up_on_stays_behind_all_others_whatever_happens(desk: Any) -> None:
    [due] = desk.store(desk.record("a"), lane=Lane.BACKFILL).due
    assert due.lane == "backfill"
    desk.settle(due, FAILED)
    [due] = desk.due()
    assert due.lane == "backfill"
    desk.settle(due, Refused(status=422, reasons={}))
    assert desk.row("a").lane == "backfill"


def test_what_is_caught_up_on_does_not_delay_a_change_that_waits(desk: Any) -> None:
    desk.store(desk.record("a", "A"))
    [due] = desk.store(desk.record("a", "B"), lane=Lane.BACKFILL).due
    assert due.lane == "live"
    desk.settle(due)
    [due] = desk.store(desk.record("a", "C"), lane=Lane.BACKFILL).due
    assert due.lane == "backfill"
    [due] = desk.store(desk.record("a", "D")).due
    assert due.lane == "live"


def test_what_was_refused_says_so_when_it_is_tried_again(desk: Any) -> None:
    [due] = desk.store(desk.record("a")).due
    assert not due.refused_before
    desk.settle(due, FAILED)
    [due] = desk.due()
    assert not due.refused_before
    desk.settle(due, Refused(status=422, reasons={}))
    desk.clock.seconds += timedelta(days=1).total_seconds()
    [due] = desk.due()
    assert (due.refused_before, due.lane) == (True, "retry")


# Since when it fails


def test_a_row_knows_for_how_long_it_fails(desk: Any) -> None:
    [due] = desk.store(desk.record("a")).due
    desk.settle(due, THROTTLED)
    assert desk.row("a").failing is None
    desk.settle(due, Again(reason="503", status=503))
    desk.clock.seconds += 3_600
    [due] = desk.due()
    assert due.failing_for == 3_600
    desk.settle(due, Again(reason="503", status=503))
    desk.clock.seconds += 3_600
    assert [row.failing_for for row in desk.due()] == [7_200]


def test_the_time_for_which_it_fails_survives_a_reboot(desk: Any) -> None:
    [due] = desk.store(desk.record("a")).due
    desk.settle(due, Again(reason="503", status=503))
    desk.clock.seconds += 3_600
    desk.settle(due, Again(reason="503", status=503))
    desk.clock.seconds = 5
    desk.restart(boot="another")
    assert desk.due()[0].failing_for >= 3_600


def test_what_was_delivered_or_refused_fails_no_more(desk: Any) -> None:
    for name, outcome in {"a": Delivered(status=200), "b": Refused(status=422, reasons={})}.items():
        [due] = desk.store(desk.record(name)).due
        desk.settle(due, Again(reason="503", status=503))
        desk.settle(due, outcome)
        assert desk.row(name).failing is None


def test_what_is_sent_anew_to_another_receiver_is_caught_up_on(desk: Any) -> None:
    [due] = desk.store(desk.record("a")).due
    desk.settle(due)
    outbox.requeue(desk.conn)
    desk.store(desk.record("b"))
    assert references(desk) == ["b", "a"]


def test_the_short_way_and_the_long_way_of_a_delivery_leave_the_same_row(desk: Any) -> None:
    short, long = desk.store(desk.record("a"), desk.record("b")).due
    desk.settle(short, Again(reason="503"))
    desk.settle(long, FAILED)
    results = [Result(due=due, outcome=Delivered(status=200, data={})) for due in (short, long)]
    outbox.settle(desk.conn, results, desk.now, timedelta(0))
    same = ("state", "due", "failing", "attempts", "retries", "lane", "delivered_version", "delivered_at", "answer")
    first, second = (desk.row(name)._asdict() for name in "ab")
    assert {name: first[name] for name in same} == {name: second[name] for name in same}
