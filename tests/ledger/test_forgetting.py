"""A person is forgotten: nothing of them stays, nothing comes back, and the books balance."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from cgsync.ledger import books, forgetting, history, rejects
from cgsync.ledger.forgetting import addresses_in
from cgsync.ledger.schema import forgotten, payload
from cgsync.model import Refused, Reject, RejectKind

ANNA = "Anna@Example.com"


def forget(desk: Any, name: str) -> int:
    who = forgetting.person(desk.conn, name)
    forgetting.bar(desk.conn, who, desk.now)
    found, _ = forgetting.look(desk.conn, who, 0)
    number: int = forgetting.remove(desk.conn, found, desk.now)
    forgetting.remove(desk.conn, forgetting.look_at_rejects(desk.conn, who), desk.now)
    return number


def reject(identity: str, record: bytes) -> Reject:
    return Reject(
        kind=RejectKind.INVALID, identity=identity, position=identity, record=record, reasons={}, mapping_version="m1"
    )


def test_what_is_pending_delivered_and_refused_of_an_address_goes(desk: Any) -> None:
    dues = desk.store(*(desk.record(name, f"from {ANNA}\n") for name in "abc"), desk.record("d", "Bob")).due
    desk.settle(dues[0])
    desk.settle(dues[1], Refused(status=422, reasons={"contact": "unknown"}))
    assert forget(desk, "anna@example.com") == 2
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
    assert [line.position for line in rejects.list_each(desk.conn)] == ["2"]


def test_a_reference_takes_the_other_activities_of_its_record_with_it(desk: Any) -> None:
    desk.store(desk.record("a", more=("b",)), desk.record("c"))
    assert forget(desk, "A") == 2
    assert desk.row("c").state == "pending"
    assert forgetting.is_forgotten(desk.conn, "a")
    assert not forgetting.is_forgotten(desk.conn, "c")


def test_the_hashes_do_not_tell_whom_they_are_of(desk: Any) -> None:
    desk.store(desk.record("a", ANNA))
    forget(desk, ANNA)
    kept = desk.conn.execute(select(forgotten.c.digest)).scalars().all()
    assert len(kept) == 3, "the address, the reference, the record"
    assert all(len(digest) == 16 for digest in kept)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Anna <ANNA@example.com>,", {"anna@example.com"}),
        ("mailto:anna@example.com.", {"anna@example.com"}),
        ("joanna@example.com", {"joanna@example.com"}),
        ("anna@example.com.au", {"anna@example.com.au"}),
        ("no address", set()),
    ],
)
def test_addresses_are_whole_ones(text: str, found: set[str]) -> None:
    assert addresses_in({"text": [text]}) == found
