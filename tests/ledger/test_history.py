"""One reference, explained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cgsync.ledger import forgetting, history, mappings, outbox, sources
from cgsync.ledger.forgetting import Person
from cgsync.ledger.history import Traces
from cgsync.ledger.outbox.due import MOST_AHEAD, Ahead
from cgsync.model import Again, Delivered, Lane, Refused, Reject, RejectKind


def reject(identity: str, **more: Any) -> Reject:
    named = {"kind": RejectKind.INVALID, "identity": identity, "position": f"line {identity}", "record": b"{}"}
    return Reject(**{**named, "reasons": {"account": "is required"}, "mapping_version": "m1", **more})


def traces(desk: Any, reference: str, records: Sequence[str] = (), guesses: Sequence[str] = ()) -> Traces:
    return history.traces(desk.conn, reference, records, guesses)


def found_rejects(desk: Any, reference: str, *records: str) -> list[str]:
    return sorted(each.identity for each in traces(desk, reference, records).rejects)


def test_what_was_never_stored_cannot_be_explained(desk: Any) -> None:
    assert history.explain(desk.conn, "nothing", desk.now) is None
    assert traces(desk, "nothing") == Traces(rejects=[], forgotten_at=None, meant=[], near=[])


def test_of_what_was_never_stored_the_rejects_are_found_by_record_reference_and_mapped_body(desk: Any) -> None:
    mapped = b'{"account":"","reference":"order-3"}'
    desk.store(rejects=[reject("1"), reject("2", reference="order-2"), reject("3", mapped=mapped), reject("4")])
    assert found_rejects(desk, "1", "1") == ["1"]
    assert found_rejects(desk, "order-2") == ["2"]
    assert found_rejects(desk, "order-3") == ["3"]
    assert found_rejects(desk, "order-4", "order-4", "4") == ["4"]
    assert found_rejects(desk, "order") == []


def test_what_was_forgotten_says_when(desk: Any) -> None:
    forgetting.bar(desk.conn, Person(key="order-1"), desk.now)
    assert traces(desk, "Order-1").forgotten_at == desk.clock.now()
    assert traces(desk, "order-2").forgotten_at is None


def test_near_an_unknown_reference_are_those_that_begin_most_like_it(desk: Any) -> None:
    desk.store(*(desk.record(f"order-{number}") for number in (1, 21, 22, 23, 24, 25, 3)), desk.record("shop-1"))
    assert sorted(traces(desk, "Order-2").near) == ["order-21", "order-22", "order-23", "order-24", "order-25"]
    assert traces(desk, "order-219").near[0] == "order-21"
    assert traces(desk, "shop").near == ["shop-1"]
    assert traces(desk, "op").near == traces(desk, "sh").near == []


def test_a_guess_that_is_known_is_nearer_than_all_others(desk: Any) -> None:
    desk.store(desk.record("order-4711"), desk.record("4710"), desk.record("4712"))
    guessed = traces(desk, "4711", guesses=["ORDER-4711", "shop-4711"])
    assert (guessed.meant, guessed.near) == (["order-4711"], [])
    in_vain = traces(desk, "4711", guesses=["shop-4711"])
    assert (in_vain.meant, in_vain.near) == ([], ["4710", "4712"])


def test_the_first_part_of_a_key_is_enough_to_guess_by(desk: Any) -> None:
    known = ["mail:1@acme.example:aa", "mail:1@acme.example:bb", "mail:1@acme.example.org:cc", "mail:1@acme.example;d"]
    desk.store(*(desk.record(name) for name in known))
    assert traces(desk, "1@acme.example", guesses=["sms:1@acme.example", "mail:1@acme.example"]).meant == known[:2]


def test_a_reject_is_found_by_the_first_part_of_its_key(desk: Any) -> None:
    desk.store(rejects=[reject("1@acme.example:aa"), reject("1@acme.example.org:bb")])
    assert found_rejects(desk, "1@acme.example", "0@acme.example", "1@acme.example") == ["1@acme.example:aa"]


def test_a_delivered_activity_is_explained_from_its_record_to_the_answer(desk: Any) -> None:
    [due] = desk.store(desk.record("Ticket-1", "A", record="1", revision=7)).due
    desk.settle(due, Again(reason="status 503", status=503), retry_in=1)
    desk.clock.seconds += 1
    desk.settle(due, Delivered(status=200, data={"id": 12}))
    sources.rename(desk.conn, "s", "tickets")
    found = history.explain(desk.conn, "ticket-1", desk.now)
    assert found is not None
    assert (found.reference, found.state, found.version) == ("Ticket-1", "delivered", 1)
    assert (found.source, found.owner, found.record_key, found.position) == ("tickets", "tickets", "1", "1.csv line 1")
    assert (found.delivered_version, found.delivered_at, found.answer) == (1, desk.clock.now(), {"id": 12})
    assert (found.body, found.record) == ({"reference": "Ticket-1", "text": "A"}, {"id": "1", "text": "A"})
    assert [(attempt.status, attempt.reason) for attempt in found.tries] == [(503, "status 503")]
    assert (found.due_in, found.in_doubt, found.revision, found.mapping_version) == (None, None, "7", "m1")


def test_a_version_that_waits_says_how_long_and_why(desk: Any) -> None:
    [due] = desk.store(desk.record("a", "A")).due
    desk.settle(due, Again(reason="timeout", doubt=True), retry_in=1)
    desk.store(desk.record("a", "B"))
    found = history.explain(desk.conn, "a", desk.now)
    assert found is not None
    assert (found.state, found.version, found.due_in, found.in_doubt) == ("pending", 2, 120, 120)


def test_a_refused_one_shows_its_reasons(desk: Any) -> None:
    [due] = desk.store(desk.record("a")).due
    desk.settle(due, Refused(status=422, reasons={"account": "unknown"}))
    found = history.explain(desk.conn, "a", desk.now)
    assert found is not None
    assert [line.reasons for line in found.rejects] == [{"account": "unknown"}]


def test_a_reject_of_its_record_belongs_to_it_and_that_of_another_source_does_not(desk: Any) -> None:
    desk.store(desk.record("a", record="1"))
    desk.store(rejects=[reject("1")])
    desk.store(rejects=[reject("1", reasons={"type": "is required"})], source="t")
    found = history.explain(desk.conn, "a", desk.now)
    assert found is not None
    assert [(each.source, each.reasons) for each in found.rejects] == [("s", {"account": "is required"})]


def test_the_mapping_that_made_it_is_told_where_it_was_kept(desk: Any) -> None:
    desk.store(desk.record("a"))
    unknown = history.explain(desk.conn, "a", desk.now)
    mappings.keep(desk.conn, "m1", {"text": "{{ r.text }}"}, desk.now)
    known = history.explain(desk.conn, "a", desk.now)
    assert unknown is not None
    assert unknown.mapping is None
    assert known is not None
    assert known.mapping is not None
    assert known.mapping.expressions == {"text": "{{ r.text }}"}


def ahead(desk: Any, reference: str) -> Ahead | None:
    found = history.explain(desk.conn, reference, desk.now)
    assert found is not None
    return found.ahead


def test_what_is_due_says_how_many_go_before_it(desk: Any) -> None:
    desk.store(desk.record("a"), desk.record("b"), desk.record("c"))
    desk.store(desk.record("x"), desk.record("y"), source="t")
    desk.store(desk.record("d"), desk.record("e"), lane=Lane.BACKFILL)
    assert ahead(desk, "a") == ahead(desk, "x") == Ahead(own=0, better=0)
    assert ahead(desk, "c") == Ahead(own=2, better=0)
    assert ahead(desk, "e") == Ahead(own=1, better=5)
    outbox.hold(desk.conn, ["a", "e"])
    assert (ahead(desk, "e"), ahead(desk, "c"), ahead(desk, "d")) == (
        None,
        Ahead(own=1, better=0),
        Ahead(own=0, better=4),
    )


def test_of_a_long_queue_no_more_is_counted_than_anybody_wants_to_know(desk: Any) -> None:
    desk.store(*(desk.record(str(number)) for number in range(MOST_AHEAD + 10)))
    desk.store(desk.record("last"), lane=Lane.BACKFILL)
    assert ahead(desk, str(MOST_AHEAD + 5)) == Ahead(own=MOST_AHEAD, better=0)
    assert ahead(desk, "last") == Ahead(own=0, better=MOST_AHEAD)


def last_failure(desk: Any) -> tuple[int, int | None, str] | None:
    found = outbox.show(desk.conn, desk.now, "a")
    assert found is not None
    failed = found.last_failure
    return failed and (failed.version, failed.status, failed.reason)


def test_the_outbox_shows_why_the_last_request_failed_until_its_version_is_delivered(desk: Any) -> None:
    [due] = desk.store(desk.record("a", "A")).due
    assert last_failure(desk) is None
    desk.settle(due, Again(reason="busy", status=503))
    assert last_failure(desk) == (1, 503, "busy")
    [due] = desk.due()
    desk.settle(due, Refused(status=422, reasons={"account": "unknown"}))
    assert last_failure(desk) == (1, 422, "account: unknown")
    [due] = desk.store(desk.record("a", "B")).due
    desk.settle(due, Delivered(status=200))
    assert last_failure(desk) is None
    [due] = desk.store(desk.record("a", "C")).due
    desk.settle(due, Again(reason="busy", status=503))
    assert last_failure(desk) == (3, 503, "busy")


def test_the_outbox_is_listed_by_state_and_source(desk: Any) -> None:
    desk.store(desk.record("a"), desk.record("b"))
    desk.store(desk.record("c"), source="t")
    outbox.hold(desk.conn, ["b"])
    listed = outbox.list_rows(desk.conn, desk.now)
    assert [(row.reference, row.state, row.due_in) for row in listed] == [
        ("a", "pending", 0),
        ("b", "held", None),
        ("c", "pending", 0),
    ]
    assert [row.reference for row in outbox.list_rows(desk.conn, desk.now, state="held")] == ["b"]
    assert [row.reference for row in outbox.list_rows(desk.conn, desk.now, source="t")] == ["c"]
