"""Rejects: one for each record, grouped by cause, gone when the record passes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from cgsync.ledger import outbox, rejects, retrials, sources
from cgsync.ledger.basis import Basis, note_credentials, note_judge
from cgsync.ledger.rejects import Choice
from cgsync.ledger.verdicts import cause_of
from cgsync.model import Lane, Refused, Reject, RejectKind


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
    assert [line.source for line in rejects.list_each(desk.conn, Choice(source="orders"))] == ["orders"]
    assert [cause.source for cause in rejects.list_causes(desk.conn, Choice(source="orders"))] == ["orders"]
    assert rejects.list_each(desk.conn, Choice(source="s")) == []


def positions(desk: Any, **choice: Any) -> list[str]:
    return sorted(line.position.rpartition(" ")[2] for line in rejects.list_each(desk.conn, Choice(**choice)))


def number(desk: Any, identity: str) -> int:
    lines = rejects.list_each(desk.conn) + rejects.list_each(desk.conn, Choice(dropped=True))
    return next(line.id for line in lines if line.position.endswith(f" {identity}"))


def test_rejects_are_chosen_by_number_by_source_by_kind_or_by_what_they_are_like(desk: Any) -> None:
    desk.store(rejects=[reject("1"), reject("2", "'x' is no date"), reject("3", "'y' is no date")])
    desk.store(rejects=[reject("4", kind=RejectKind.UNREADABLE)], source="t")
    assert positions(desk) == ["1", "2", "3", "4"]
    assert positions(desk, numbers=[number(desk, "2")]) == ["2"]
    assert positions(desk, source="t") == ["4"]
    assert positions(desk, kind=RejectKind.INVALID) == ["1", "2", "3"]
    assert positions(desk, like=number(desk, "3")) == ["2", "3"]
    assert [one.number for one in rejects.chosen(desk.conn, Choice(like=number(desk, "1")))] == [number(desk, "1")]


def drop(desk: Any, reason: str = "a test order", **choice: Any) -> int:
    return rejects.drop(desk.conn, desk.now, reason, Choice(**choice))


def test_what_is_dropped_is_kept_out_of_sight_with_the_reason(desk: Any) -> None:
    desk.store(rejects=[reject("1"), reject("2")])
    assert drop(desk, numbers=[number(desk, "1")]) == 1
    assert (positions(desk), positions(desk, dropped=True)) == (["2"], ["1"])
    assert rejects.counts(desk.conn) == {"s": 1}
    found = rejects.get(desk.conn, number(desk, "1"))
    assert found is not None
    assert (found.dropped_why, found.dropped_at) == ("a test order", found.at)
    assert drop(desk) == 1, "what was dropped is not dropped once more"


def test_what_is_dropped_stays_so_while_its_record_is_the_same(desk: Any) -> None:
    desk.store(rejects=[reject("1")])
    drop(desk)
    desk.store(rejects=[reject("1", "is too long")])
    assert (positions(desk), positions(desk, dropped=True)) == ([], ["1"])
    desk.store(rejects=[replace(reject("1"), record=b'{"id":1,"account":"x"}')])
    assert (positions(desk), positions(desk, dropped=True)) == (["1"], [])


def test_a_refusal_that_is_dropped_is_not_tried_again_until_it_changes(desk: Any) -> None:
    [due] = desk.store(desk.record("1", "A")).due
    desk.settle(due, Refused(status=422, reasons={}))
    drop(desk)
    assert outbox.next_due(desk.conn, desk.now) is None
    assert desk.store(desk.record("1", "A")).counts["unchanged"] == 1
    [due] = desk.store(desk.record("1", "B")).due
    desk.settle(due, Refused(status=422, reasons={}))
    assert len(positions(desk)) == 1, "another record is another refusal"
    assert desk.balanced()


def test_an_older_revision_neither_replaces_a_reject_nor_takes_it_away(desk: Any) -> None:
    later = replace(reject("1"), revision=5)
    desk.store(rejects=[later])
    desk.store(rejects=[replace(reject("1", "is too long"), revision=4, record=b"{}")])
    desk.store(desk.record("1", revision=4))
    [found] = retrials.contents(desk.conn, [number(desk, "1")])
    assert (found.revision, found.record) == (5, later.record)
    desk.store(desk.record("1", "b", revision=5))
    assert positions(desk) == []


def test_a_reject_remembers_the_time_that_was_its_revision(desk: Any) -> None:
    at = datetime(2026, 3, 4, 10, 0, 0, 123456, tzinfo=UTC)
    desk.store(rejects=[replace(reject("1"), revision=at)])
    [found] = retrials.contents(desk.conn, [number(desk, "1")])
    assert found.revision == at


# What is tried again.

OLD, NEW = Basis(judge="m1", credentials="c1"), Basis(judge="m2", credentials="c1")


def refuse(desk: Any, *references: str) -> None:
    for due in desk.store(*(desk.record(each) for each in references), basis=OLD.judge).due:
        desk.settle(due, Refused(status=422, reasons={"account": "unknown"}))


def begin(desk: Any, judge: str = "m1", credentials: str = "c1") -> Basis:
    note_credentials(desk.conn, credentials)
    return note_judge(desk.conn, "s", judge, desk.now)


def outdated(desk: Any, basis: Basis) -> int:
    return len(retrials.outdated(desk.conn, "s", basis, 100))


def test_what_was_judged_by_something_else_is_found(desk: Any) -> None:
    assert begin(desk) == OLD
    desk.store(rejects=[reject("1"), reject("raw", kind=RejectKind.UNREADABLE)], basis=OLD.judge)
    refuse(desk, "2")
    assert outdated(desk, OLD) == 0
    assert outdated(desk, NEW) == 2
    assert outdated(desk, Basis(judge="m1", credentials="c2")) == 1, "our own contract knows no credentials"
    assert retrials.outdated(desk.conn, "t", NEW, 100) == []
    drop(desk)
    assert outdated(desk, NEW) == 0


def test_a_version_that_an_older_mapping_made_is_judged_again_even_if_it_is_refused_later(desk: Any) -> None:
    begin(desk)
    [due] = desk.store(desk.record("1"), basis=OLD.judge).due
    desk.clock.seconds += 1
    assert begin(desk, "m2") == NEW
    desk.settle(due, Refused(status=422, reasons={}))
    assert outdated(desk, NEW) == 1


def test_what_was_refused_and_is_the_same_is_sent_once_more_and_not_over_and_over(desk: Any) -> None:
    begin(desk)
    refuse(desk, "1")
    desk.clock.seconds += 1
    begin(desk, "m2")
    numbers = retrials.outdated(desk.conn, "s", NEW, 100)
    [due] = retrials.again(desk.conn, numbers, NEW, desk.now)
    assert (due.refused_before, due.lane) == (True, Lane.RETRY)
    desk.settle(due, Refused(status=422, reasons={"account": "unknown"}))
    assert outdated(desk, NEW) == 0
    assert [line.times for line in rejects.list_each(desk.conn)] == [2]
    assert desk.balanced()


def test_what_today_is_rejected_by_us_is_not_sent_as_it_was(desk: Any) -> None:
    begin(desk)
    refuse(desk, "1")
    begin(desk, "m2")
    desk.store(rejects=[reject("1")], basis=NEW.judge)
    assert retrials.again(desk.conn, retrials.outdated(desk.conn, "s", NEW, 100), NEW, desk.now) == []
    assert outdated(desk, NEW) == 0


def test_of_a_record_that_is_rejected_twice_the_newer_one_is_mapped(desk: Any) -> None:
    refuse(desk, "1")
    desk.store(rejects=[replace(reject("1"), record=b'{"id":"newer"}')])
    numbers = [line.id for line in rejects.list_each(desk.conn)]
    assert [one.record for one in retrials.contents(desk.conn, numbers)] == [b'{"id":"newer"}']


def test_what_is_tried_again_is_no_longer_dropped(desk: Any) -> None:
    desk.store(rejects=[reject("1")])
    drop(desk)
    retrials.again(desk.conn, [number(desk, "1")], NEW, desk.now)
    assert positions(desk) == ["1"]


def test_records_that_are_mapped_again_are_not_counted_as_read_twice(desk: Any) -> None:
    desk.store(rejects=[reject("1")])
    stored = desk.store(desk.record("1"), remapped=True)
    assert (stored.counts["remapped"], stored.counts.get("read")) == (1, None)
    assert desk.balanced()
