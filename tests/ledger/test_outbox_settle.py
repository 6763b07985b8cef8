"""Settling: an outcome concerns the version that was sent, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec

from cgsync.ledger import Instant, attempts, books, outbox, rejects
from cgsync.model import Again, Delivered, Outcome, Paused, Refused, RejectKind, Result

DAY = 86_400.0
REFUSED = Refused(status=422, reasons={"account": "The account is unknown."})


def test_delivered_with_what_the_receiver_answered(desk: Any) -> None:
    [due] = desk.store(desk.record("a")).due
    assert desk.settle(due, Delivered(status=201, data={"id": 7})) == []
    row = desk.row("a")
    assert (row.state, row.delivered_version, msgspec.json.decode(row.answer)) == ("delivered", 1, {"id": 7})
    assert desk.due() == []
    assert desk.balanced()


def test_delivered_twice_counts_once(desk: Any) -> None:
    [due] = desk.store(desk.record("a")).due
    desk.settle(due)
    desk.settle(due)
    assert books.counters(desk.conn)["s"]["delivered"] == 1
    assert desk.balanced()


def test_the_outcome_of_an_older_version_does_not_mark_a_newer_one(desk: Any) -> None:
    [old] = desk.store(desk.record("a", "A")).due
    desk.store(desk.record("a", "B"))
    [newer] = desk.settle(old)
    assert newer.body == desk.activity("a", "B").body
    assert desk.row("a").state == "pending"
    assert desk.row("a").delivered_version == 1
    assert desk.balanced()


def test_a_refusal_of_an_older_version_does_not_refuse_a_newer_one(desk: Any) -> None:
    [old] = desk.store(desk.record("a", "A")).due
    desk.store(desk.record("a", "B"))
    assert [due.version for due in desk.settle(old, REFUSED)] == [2]
    assert rejects.list_each(desk.conn) == []


def test_a_newer_version_waits_when_the_request_for_the_older_is_in_doubt(desk: Any) -> None:
    [old] = desk.store(desk.record("a", "A")).due
    desk.store(desk.record("a", "B"))
    assert desk.settle(old, Again(reason="timeout", doubt=True), retry_in=1) == []
    assert outbox.next_due(desk.conn, desk.now) == 120


def test_an_older_answer_never_takes_the_place_of_a_newer_one(desk: Any) -> None:
    [first] = desk.store(desk.record("a", "A")).due
    [second] = desk.store(desk.record("a", "B")).due
    desk.settle(second, Delivered(status=200, data={"id": 2}))
    desk.settle(first, Delivered(status=200, data={"id": 1}))
    assert (desk.row("a").delivered_version, desk.row("a").answer) == (2, '{"id":2}')


def test_again_is_due_after_its_time_and_counts_when_it_says_so(desk: Any) -> None:
    [due] = desk.store(desk.record("a")).due
    desk.settle(due, Again(reason="status 503"), retry_in=30)
    assert (desk.due(), outbox.next_due(desk.conn, desk.now)) == ([], 30)
    desk.clock.seconds += 30
    assert [(due.version, due.attempts) for due in desk.due()] == [(1, 1)]
    desk.settle(due, Again(reason="status 429", counted=False), retry_in=0)
    assert desk.due()[0].attempts == 1


def test_paused_leaves_everything_as_it_is(desk: Any) -> None:
    [due] = desk.store(desk.record("a")).due
    desk.settle(due, Paused(cause="auth", reason="status 401", status=401))
    assert desk.due() == [due]
    assert [(attempt.outcome, attempt.status) for attempt in attempts.list_attempts(desk.conn, "a")] == [
        ("paused", 401)
    ]


def test_refused_is_a_reject_with_record_body_and_reasons(desk: Any) -> None:
    [due] = desk.store(desk.record("a", "A")).due
    desk.settle(due, REFUSED)
    [line] = rejects.list_each(desk.conn)
    found = rejects.get(desk.conn, line.id)
    assert found is not None
    assert (found.kind, found.reference, found.reasons) == (RejectKind.REFUSED, "a", REFUSED.reasons)
    assert msgspec.json.decode(found.record) == {"id": "a", "text": "A"}
    assert found.mapped == due.body
    assert desk.balanced()


def test_what_was_refused_is_tried_once_a_day_for_a_week(desk: Any) -> None:
    [due] = desk.store(desk.record("a")).due
    tries = 0
    while due is not None:
        desk.settle(due, REFUSED)
        wait = outbox.next_due(desk.conn, desk.now)
        if wait is None:
            break
        assert wait == DAY
        desk.clock.seconds += DAY
        [due] = desk.due()
        assert due.refused_before
        tries += 1
    assert tries == 7
    assert rejects.list_each(desk.conn)[0].times == 8


def test_no_retry_of_what_was_refused_when_none_is_wanted(desk: Any) -> None:
    [due] = desk.store(desk.record("a")).due
    result = Result(due=due, outcome=REFUSED)
    outbox.settle(desk.conn, [result], desk.now, timedelta(0), retry_refused=timedelta(0))
    assert outbox.next_due(desk.conn, desk.now) is None


def test_the_reject_goes_when_a_retry_passes(desk: Any) -> None:
    [due] = desk.store(desk.record("a")).due
    desk.settle(due, REFUSED)
    desk.clock.seconds += DAY
    desk.settle(desk.due()[0])
    assert rejects.list_each(desk.conn) == []
    assert desk.balanced()


def test_the_reject_goes_when_a_newer_version_takes_its_place(desk: Any) -> None:
    [due] = desk.store(desk.record("a", "A")).due
    desk.settle(due, REFUSED)
    [newer] = desk.store(desk.record("a", "B")).due
    assert not newer.refused_before
    assert rejects.list_each(desk.conn) == []
    assert desk.balanced()


def test_a_refused_row_that_is_tried_again_keeps_its_place_in_the_books(desk: Any) -> None:
    [due] = desk.store(desk.record("a")).due
    desk.settle(due, REFUSED)
    desk.clock.seconds += DAY
    desk.settle(due, Again(reason="status 503"), retry_in=10)
    assert desk.row("a").state == "refused"
    assert outbox.next_due(desk.conn, desk.now) == 10
    assert desk.balanced()


def test_what_an_operator_holds_stays_held_when_it_is_refused(desk: Any) -> None:
    [due] = desk.store(desk.record("a")).due
    outbox.hold(desk.conn, ["a"])
    desk.settle(due, REFUSED)
    assert (desk.row("a").state, outbox.next_due(desk.conn, desk.now)) == ("held", None)


def test_the_last_few_attempts_are_kept(desk: Any) -> None:
    [due] = desk.store(desk.record("a")).due
    for number in range(8):
        desk.settle(due, Again(reason=f"try {number}", status=503), retry_in=0)
    assert [attempt.reason for attempt in attempts.list_attempts(desk.conn, "a")] == [
        f"try {number}" for number in (7, 6, 5, 4, 3)
    ]


def test_a_group_of_results_is_settled_at_once(desk: Any) -> None:
    dues = desk.store(*[desk.record(str(number)) for number in range(3)]).due
    outcomes: list[Outcome] = [Delivered(status=200), REFUSED, Again(reason="status 500")]
    results = [
        Result(due=due, outcome=outcome, retry_in=timedelta(seconds=5))
        for due, outcome in zip(dues, outcomes, strict=True)
    ]
    outbox.settle(desk.conn, results, desk.now, timedelta(seconds=120))
    assert [desk.row(str(number)).state for number in range(3)] == ["delivered", "refused", "pending"]
    assert desk.balanced()


def test_what_was_forgotten_meanwhile_is_left_alone(desk: Any) -> None:
    [due] = desk.store(desk.record("a")).due
    gone = type(due)(key="nobody", reference="nobody", version=1, body=b"")
    assert desk.settle(gone) == []


def test_the_instant_is_the_ledgers_own(desk: Any) -> None:
    """A result settled after the clock of a new boot began at zero still waits its full time."""
    [due] = desk.store(desk.record("a")).due
    desk.clock.seconds = 3.0
    desk.restart(boot="another")
    desk.settle(due, Again(reason="status 503"), retry_in=30)
    assert outbox.next_due(desk.conn, Instant.of(desk.clock)) == 30
