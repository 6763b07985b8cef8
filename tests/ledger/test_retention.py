"""What the ledger lets go of: bodies and records after their delivery, rejects by age and by number."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from cgsync.ledger import outbox, rejects, retention
from cgsync.ledger.retention import Terms
from cgsync.ledger.schema import payload
from cgsync.model import Refused, Reject, RejectKind

DAY = 86_400


def deliver(desk: Any, *references: str, body: Any = "a") -> None:
    for due in desk.store(*(desk.record(each, body) for each in references)).due:
        desk.settle(due)


def terms(desk: Any, bodies: int = 30, records: int = 7) -> Terms:
    now = desk.clock.now()
    return Terms(bodies=now - timedelta(days=bodies), records=now - timedelta(days=records))


def sweep(desk: Any) -> dict[str, int]:
    step = retention.walk(desk.conn, 0, terms(desk))
    assert step.last is None
    return {name: count for name, count in retention.take_away(desk.conn, step.rows, terms(desk)).items() if count}


def kept(desk: Any, reference: str) -> tuple[bool, bool]:
    """Whether body and record are there."""
    found = desk.conn.execute(select(payload).where(payload.c.seq == desk.row(reference).seq)).one_or_none()
    return (False, False) if found is None else (found.body != b"", found.record != b"")


def test_records_go_first_and_then_bodies_and_the_row_stays(desk: Any) -> None:
    deliver(desk, "1")
    desk.clock.seconds += 6 * DAY
    assert sweep(desk) == {}
    desk.clock.seconds += 2 * DAY
    assert sweep(desk) == {"records": 1}
    assert kept(desk, "1") == (True, False)
    desk.clock.seconds += 23 * DAY
    assert sweep(desk) == {"bodies": 1}
    assert kept(desk, "1") == (False, False)
    assert desk.store(desk.record("1")).counts["unchanged"] == 1, "its digest is known"
    assert desk.balanced()


def test_what_is_not_delivered_keeps_everything(desk: Any) -> None:
    first, second = desk.store(desk.record("1"), desk.record("2")).due
    desk.settle(second, Refused(status=422, reasons={}))
    deliver(desk, "3")
    desk.store(desk.record("3", "newer"))
    desk.clock.seconds += 400 * DAY
    assert sweep(desk) == {}
    assert {due.key for due in desk.due()} >= {first.key, "3"}


def test_what_was_queued_again_since_it_was_looked_at_keeps_its_body(desk: Any) -> None:
    deliver(desk, "1")
    desk.clock.seconds += 31 * DAY
    step = retention.walk(desk.conn, 0, terms(desk))
    outbox.requeue(desk.conn)
    retention.take_away(desk.conn, step.rows, terms(desk))
    assert kept(desk, "1") == (True, True)


def test_what_has_no_body_is_counted_until_it_is_read_again(desk: Any) -> None:
    deliver(desk, "1", "2", "3")
    desk.clock.seconds += 31 * DAY
    assert sweep(desk) == {"bodies": 3, "records": 3}
    assert retention.without_body(desk.conn) == 3
    desk.store(desk.record("1", "b"), desk.record("2"))
    assert retention.without_body(desk.conn) == 2, "the second is unchanged"
    assert outbox.requeue(desk.conn).without_body == 2
    desk.store(desk.record("2"), desk.record("3"))
    assert retention.without_body(desk.conn) == 0
    assert desk.balanced()


@pytest.mark.parametrize("chunk", [3, 4, 100])
def test_the_walk_goes_on_where_it_was(desk: Any, chunk: int) -> None:
    deliver(desk, *map(str, range(10)))
    desk.clock.seconds += 8 * DAY
    rows, at, steps = [], 0, 0
    while True:
        step = retention.walk(desk.conn, at, terms(desk), chunk)
        rows += step.rows
        steps += 1
        if step.last is None:
            break
        at = step.last
        retention.remember(desk.conn, at)
        assert retention.place(desk.conn) == at
    assert sorted(rows) == [desk.row(str(n)).seq for n in range(10)]
    assert steps == 10 // chunk + 1


def reject(identity: str) -> Reject:
    return Reject(
        kind=RejectKind.INVALID, identity=identity, position=f"line {identity}", record=b"{}", reasons={"": "bad"},
        mapping_version="m1",
    )  # fmt: skip


def left(desk: Any) -> list[str]:
    return sorted(line.position for line in rejects.list_each(desk.conn))


def test_rejects_go_so_long_after_they_were_last_seen(desk: Any) -> None:
    desk.store(rejects=[reject("1"), reject("2")])
    desk.clock.seconds += 50 * DAY
    desk.store(rejects=[reject("2")])
    desk.clock.seconds += 41 * DAY
    before = desk.clock.now() - timedelta(days=90)
    assert retention.expire_rejects(desk.conn, before) == 1
    assert retention.expire_rejects(desk.conn, before) == 0
    assert left(desk) == ["line 2"]


def test_of_too_many_rejects_the_dropped_and_then_the_oldest_go(desk: Any) -> None:
    for n in range(5):
        desk.clock.seconds += 1
        desk.store(rejects=[reject(str(n))])
    desk.store(rejects=[reject("other")], source="t")
    dropped = next(line.id for line in rejects.list_each(desk.conn) if line.position == "line 4")
    rejects.drop(desk.conn, desk.now, "a test", rejects.Choice(numbers=[dropped]))
    assert retention.trim_rejects(desk.conn, "s", 5) == 0
    assert retention.trim_rejects(desk.conn, "s", 3) == 2
    assert left(desk) == ["line 1", "line 2", "line 3", "line other"]
    assert rejects.chosen(desk.conn, rejects.Choice(dropped=True)) == []
