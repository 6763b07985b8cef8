"""Rejects: one for each record, grouped by cause, gone when the record passes."""

from __future__ import annotations

from typing import Any

from cgsync.ledger import outbox, rejects, sources
from cgsync.ledger.verdicts import cause_of
from cgsync.model import Refused, Reject, RejectKind


def reject(identity: str, reason: str = "is required", *, kind: RejectKind = RejectKind.INVALID) -> Reject:
    return Reject(
        kind=kind,
        identity=identity,
        position=f"orders.csv line {identity}",
        record=b'{"id":1}',
        reasons={"account": reason},
        mapping_version="m1",
        mapped=b'{"account":""}',
    )


def test_the_same_record_rejected_again_is_one_reject_with_the_last_reason(desk: Any) -> None:
    desk.store(rejects=[reject("1", "is required")])
    desk.clock.seconds += 60
    desk.store(rejects=[reject("1", "is too long")])
    [line] = rejects.list_each(desk.conn)
    assert (line.times, line.reasons) == (2, {"account": "is too long"})
    found = rejects.get(desk.conn, line.id)
    assert found is not None
    assert (found.at - found.first_at).total_seconds() == 60
    assert (found.record, found.mapped, found.identity) == (b'{"id":1}', b'{"account":""}', "1")


def test_a_record_that_passes_takes_its_reject_away(desk: Any) -> None:
    desk.store(rejects=[reject("1"), reject("2")])
    desk.store(desk.record("1"))
    assert [line.position for line in rejects.list_each(desk.conn)] == ["orders.csv line 2"]


def test_what_was_unreadable_is_known_by_its_position(desk: Any) -> None:
    """It had no key when it could not be read."""
    position = "7.csv line 1"
    desk.store(rejects=[reject(position, kind=RejectKind.UNREADABLE)])
    desk.store(desk.record("7"))
    assert rejects.list_each(desk.conn) == []


def test_the_reject_of_another_source_stays(desk: Any) -> None:
    desk.store(rejects=[reject("1")], source="t")
    desk.store(desk.record("1"))
    assert len(rejects.list_each(desk.conn)) == 1


def test_a_record_that_passes_here_and_is_refused_over_there_keeps_that_reject(desk: Any) -> None:
    [due] = desk.store(desk.record("1")).due
    desk.settle(due, Refused(status=422, reasons={"account": "unknown"}))
    desk.store(desk.record("1"))
    assert [line.kind for line in rejects.list_each(desk.conn)] == [RejectKind.REFUSED]


def test_causes_leave_out_what_is_particular(desk: Any) -> None:
    desk.store(
        rejects=[
            reject("1", "104 characters, at most 100 are allowed"),
            reject("2", "230 characters, at most 100 are allowed"),
            reject("3", "'foo' is not a date"),
        ]
    )
    causes = rejects.list_causes(desk.conn)
    assert [(cause.source, cause.count, cause.cause) for cause in causes] == [
        ("s", 2, "account: … characters, at most … are allowed"),
        ("s", 1, "account: … is not a date"),
    ]
    assert cause_of({"b": "x", "": "y"}) == "y; b: x"


def test_rejects_are_listed_under_the_name_that_the_source_has_now(desk: Any) -> None:
    desk.store(rejects=[reject("1")])
    sources.rename(desk.conn, "s", "orders")
    assert [line.source for line in rejects.list_each(desk.conn, source="orders")] == ["orders"]
    assert [cause.source for cause in rejects.list_causes(desk.conn, source="orders")] == ["orders"]
    assert rejects.list_each(desk.conn, source="s") == []


def test_rejects_are_chosen_by_number_or_by_source(desk: Any) -> None:
    desk.store(rejects=[reject("1"), reject("2")])
    desk.store(rejects=[reject("3")], source="t")
    numbers = [line.id for line in rejects.list_each(desk.conn, source="s")]
    assert {one.identity for one in rejects.select(desk.conn, numbers[:1])} <= {"1", "2"}
    assert [one.identity for one in rejects.select(desk.conn, source="t")] == ["3"]
    assert len(rejects.select(desk.conn)) == 3


def test_what_is_dropped_is_gone(desk: Any) -> None:
    desk.store(rejects=[reject("1"), reject("2")])
    assert rejects.drop(desk.conn, source="s") == 2
    assert rejects.list_each(desk.conn) == []
    assert rejects.get(desk.conn, 1) is None


def test_a_refusal_that_is_dropped_is_not_tried_again_until_it_changes(desk: Any) -> None:
    [due] = desk.store(desk.record("1", "A")).due
    desk.settle(due, Refused(status=422, reasons={}))
    rejects.drop(desk.conn)
    assert outbox.next_due(desk.conn, desk.now) is None
    assert desk.store(desk.record("1", "A")).counts["unchanged"] == 1
    assert len(desk.store(desk.record("1", "B")).due) == 1
    assert desk.balanced()


def test_what_was_refused_can_be_sent_once_more_by_hand(desk: Any) -> None:
    [due] = desk.store(desk.record("1")).due
    desk.settle(due, Refused(status=422, reasons={}))
    numbers = [line.id for line in rejects.list_each(desk.conn)]
    assert outbox.retry(desk.conn, rejects.keys_of(desk.conn, numbers), desk.now) == 1
    assert [row.refused_before for row in desk.due()] == [True]
    assert rejects.list_each(desk.conn) == []
    assert desk.balanced()


def test_records_that_are_mapped_again_are_not_counted_as_read_twice(desk: Any) -> None:
    desk.store(rejects=[reject("1")])
    stored = desk.store(desk.record("1"), remapped=True)
    assert (stored.counts["remapped"], stored.counts.get("read")) == (1, None)
    assert desk.balanced()
