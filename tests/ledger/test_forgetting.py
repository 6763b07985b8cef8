"""A person is forgotten: nothing of them stays, nothing comes back, and the books balance."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import select

from cgsync.ledger import books, forgetting, history, rejects, runs
from cgsync.ledger.schema import forgotten, payload, run
from cgsync.model import Again, Refused, Reject, RejectKind

ANNA = "Anna@Example.com"


def forget(desk: Any, name: str) -> Counter[str]:
    """What ``cgsync forget`` does; how many activities went, by state."""
    who = forgetting.person(desk.conn, name)
    forgetting.bar(desk.conn, who, desk.now)
    told = forgetting.remove(desk.conn, forgetting.look_at_rejects(desk.conn, who), desk.now)
    told.add(forgetting.remove(desk.conn, forgetting.look(desk.conn, who, 0)[0], desk.now))
    return told.activities


def reject(identity: str, record: bytes, kind: RejectKind = RejectKind.INVALID, **more: Any) -> Reject:
    named = {"identity": identity, "position": f"a.csv line {identity}", **more}
    return Reject(kind=kind, record=record, reasons={}, mapping_version="m1", **named)


def test_what_is_pending_delivered_and_refused_of_an_address_goes(desk: Any) -> None:
    dues = desk.store(*(desk.record(name, f"from {ANNA}\n") for name in "abc"), desk.record("d", "Bob")).due
    desk.settle(dues[0])
    desk.settle(dues[1], Refused(status=422, reasons={"contact": "unknown"}))
    assert forget(desk, "anna@example.com") == {"pending": 1, "delivered": 1, "refused": 1}
    assert [history.explain(desk.conn, name, desk.now) is None for name in "abcd"] == [True, True, True, False]
    assert (len(desk.conn.execute(select(payload)).all()), rejects.list_each(desk.conn)) == (1, [])
    assert books.counters(desk.conn)["s"]["forgotten"] == 2
    assert desk.balanced()


def test_an_outcome_that_comes_after_it_changes_nothing(desk: Any) -> None:
    [due] = desk.store(desk.record("a", ANNA)).due
    forget(desk, ANNA)
    desk.store(desk.record("z"))
    assert desk.settle(due) == []
    assert desk.row("z").state == "pending", "it may have the number of the row that was forgotten"
    assert desk.balanced()


def test_it_is_counted_and_left_when_it_is_read_again(desk: Any) -> None:
    desk.store(desk.record("a", ANNA))
    forget(desk, ANNA)
    stored = desk.store(desk.record("a", "without the address"), desk.record("new", f"Mail: to={ANNA}"))
    assert (stored.due, stored.counts["forgotten_again"]) == ([], 2)
    desk.store(rejects=[reject("9", b'{"mail": "ANNA@example.com"}')])
    assert rejects.list_each(desk.conn) == []
    assert desk.balanced()


def test_a_reject_of_the_person_goes_and_another_stays(desk: Any) -> None:
    desk.store(rejects=[reject("1", b'{"from": "anna@example.com"}'), reject("2", b'{"from": "joanna@example.com"}')])
    forget(desk, ANNA)
    assert [line.position for line in rejects.list_each(desk.conn)] == ["a.csv line 2"]


def test_a_reference_takes_the_other_activities_of_its_record_with_it(desk: Any) -> None:
    desk.store(desk.record("a", more=("b",)), desk.record("c"))
    assert forget(desk, "A") == {"pending": 2}
    assert desk.row("c").state == "pending"
    assert forgetting.is_forgotten(desk.conn, "a")
    assert not forgetting.is_forgotten(desk.conn, "c")


def test_a_reject_is_found_by_its_reference(desk: Any) -> None:
    desk.store(rejects=[reject("1", b"{}", reference="O-1"), reject("2", b"{}", reference="O-2")])
    forget(desk, "o-1")
    assert [line.position for line in rejects.list_each(desk.conn)] == ["a.csv line 2"]
    desk.store(rejects=[reject("1", b'{"changed": 1}')])
    assert len(rejects.list_each(desk.conn)) == 1, "its record is recognised without the reference too"


def test_somebody_else_may_be_unreadable_where_the_person_was(desk: Any) -> None:
    desk.store(rejects=[reject("3", b'anna@example.com,"', RejectKind.UNREADABLE, position="3")])
    forget(desk, ANNA)
    desk.store(rejects=[reject("3", b'bob@example.com,"', RejectKind.UNREADABLE, position="3")])
    assert len(rejects.list_each(desk.conn)) == 1


def test_what_the_api_has_and_where_it_came_from_is_told(desk: Any) -> None:
    dues = desk.store(*(desk.record(name, ANNA) for name in "abc")).due
    desk.settle(dues[0])
    desk.settle(dues[1], Again(reason="timeout", doubt=True))
    who = forgetting.person(desk.conn, ANNA)
    told = forgetting.tell(desk.conn, forgetting.look(desk.conn, who, 0)[0])
    assert told.received == {"a": {"id": 1}, "b": None}
    assert told.places == {"s": {f"{name}.csv line 1" for name in "abc"}}


def test_an_account_named_like_the_person_goes(desk: Any) -> None:
    desk.store(desk.record("a", account="Anna <anna@example.com>"), desk.record("b", account="Acme"))
    who = forgetting.person(desk.conn, ANNA)
    assert forgetting.accounts(desk.conn, who) == ["Anna <anna@example.com>"]
    assert forgetting.remove_accounts(desk.conn, who) == ["Anna <anna@example.com>"]
    assert forgetting.accounts(desk.conn, who) == []


def test_what_failures_said_of_the_person_goes_and_a_cursor_is_told(desk: Any) -> None:
    for error in (f"cannot read <{ANNA}>", "cannot read <joanna@example.com>", "too slow"):
        runs.record(desk.conn, "s", desk.clock.now(), desk.clock.now(), {}, error)
    desk.store(cursor={"inbox of anna@example.com": 7, "other": 8})
    who = forgetting.person(desk.conn, ANNA)
    forgetting.remove_words(desk.conn, who)
    errors = desk.conn.execute(select(run.c.error).order_by(run.c.id)).scalars().all()
    assert errors == ["", "cannot read <joanna@example.com>", "too slow"]
    assert forgetting.cursors(desk.conn, who) == ["s inbox of anna@example.com"]


def test_the_hashes_do_not_tell_whom_they_are_of(desk: Any) -> None:
    desk.store(desk.record("a", ANNA))
    forget(desk, ANNA)
    kept = desk.conn.execute(select(forgotten.c.digest)).scalars().all()
    assert len(kept) == 3, "the address, the reference, the record"
    assert all(len(digest) == 16 for digest in kept)
