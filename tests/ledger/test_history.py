"""One reference, explained."""

from __future__ import annotations

from typing import Any

from cgsync.ledger import history, outbox, sources
from cgsync.model import Again, Delivered, Refused


def test_what_was_never_stored_cannot_be_explained(desk: Any) -> None:
    assert history.explain(desk.conn, "nothing", desk.now) is None


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
