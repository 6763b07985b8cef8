"""Storing a batch: what is new, changed, unchanged, stale, replaced."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cgsync.ledger import checkpoints, outbox, settlements
from cgsync.model import Again, Refused, Reject, RejectKind


def test_a_new_activity_is_due_at_once(desk: Any) -> None:
    stored = desk.store(desk.record("a"))
    assert stored.counts == {"read": 1, "mapped": 1, "activities": 1, "new": 1}
    assert stored.due == desk.due()
    assert [(due.reference, due.version) for due in stored.due] == [("a", 1)]
    assert stored.due[0].body == desk.activity("a").body


def test_what_equals_the_desired_body_is_unchanged_and_costs_no_request(desk: Any) -> None:
    desk.store(desk.record("a"))
    stored = desk.store(desk.record("a"))
    assert (stored.due, stored.counts["unchanged"]) == ([], 1)


@pytest.mark.parametrize("outcome", [None, Refused(status=422, reasons={"account": "unknown"})])
def test_unchanged_means_equal_to_what_is_wanted_whatever_became_of_it(desk: Any, outcome: Any) -> None:
    [due] = desk.store(desk.record("a")).due
    desk.settle(due, outcome)
    assert desk.store(desk.record("a")).counts["unchanged"] == 1


def test_going_back_to_what_was_delivered_before_a_newer_version_was_queued_is_a_change(desk: Any) -> None:
    """A is delivered, B is queued, A is read again: the receiver must end with A."""
    [due] = desk.store(desk.record("a", "A")).due
    desk.settle(due)
    desk.store(desk.record("a", "B"))
    stored = desk.store(desk.record("a", "A"))
    assert stored.counts["changed"] == 1
    assert stored.due[0].version == 3
    assert stored.due[0].body == desk.activity("a", "A").body


def test_a_newer_version_replaces_the_one_that_waits(desk: Any) -> None:
    desk.store(desk.record("a", "A"))
    stored = desk.store(desk.record("a", "B"))
    assert stored.counts["superseded"] == 1
    assert [due.version for due in desk.due()] == [2]


def test_of_two_versions_in_one_batch_the_last_one_counts(desk: Any) -> None:
    stored = desk.store(desk.record("a", "A"), desk.record("a", "B"))
    assert [due.body for due in stored.due] == [desk.activity("a", "B").body]
    assert (stored.counts["new"], stored.counts["changed"], stored.counts["superseded"]) == (1, 1, 1)
    assert desk.balanced()


def test_rows_keep_the_order_in_which_they_came(desk: Any) -> None:
    desk.store(desk.record("b"), desk.record("a"))
    desk.store(desk.record("c"))
    assert [due.reference for due in desk.due()] == ["b", "a", "c"]


@pytest.mark.parametrize(
    ("later", "earlier"),
    [(7, 6), (10, 9), (2**70, 2**70 - 1), (datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))],
)
def test_a_lower_revision_is_stale_and_an_equal_one_is_not(desk: Any, later: Any, earlier: Any) -> None:
    desk.store(desk.record("a", "A", revision=later))
    assert desk.store(desk.record("a", "B", revision=earlier)).counts["stale"] == 1
    assert desk.store(desk.record("a", "C", revision=later)).counts["changed"] == 1


def test_a_time_is_the_same_revision_in_every_zone(desk: Any) -> None:
    from datetime import timezone

    desk.store(desk.record("a", "A", revision=datetime(2026, 1, 1, 12, tzinfo=UTC)))
    berlin = datetime(2026, 1, 1, 13, tzinfo=timezone(timedelta(hours=1)))
    assert desk.store(desk.record("a", "B", revision=berlin)).counts["changed"] == 1


def test_a_later_revision_without_a_change_still_outdates_earlier_ones(desk: Any) -> None:
    """Else a backfill would undo what was seen, because it looked the same when it was seen."""
    desk.store(desk.record("a", "A", revision=1))
    desk.store(desk.record("a", "A", revision=5))
    assert desk.store(desk.record("a", "B", revision=3)).counts["stale"] == 1


def test_revisions_of_two_kinds_are_not_compared(desk: Any) -> None:
    desk.store(desk.record("a", "A", revision=2_000_000_000))
    later = desk.store(desk.record("a", "B", revision=datetime(2026, 1, 1, tzinfo=UTC)))
    assert later.counts["changed"] == 1


def test_a_record_without_a_revision_leaves_the_last_one_in_force(desk: Any) -> None:
    desk.store(desk.record("a", "A", revision=5))
    desk.store(desk.record("a", "B"))
    assert desk.store(desk.record("a", "C", revision=4)).counts["stale"] == 1


def test_all_of_a_batch_is_stored_beside_its_activities(desk: Any) -> None:
    reject = Reject(
        kind=RejectKind.INVALID,
        identity="x",
        position="line 3",
        record=b"{}",
        reasons={"account": "is required"},
        mapping_version="m1",
    )
    stored = desk.store(
        desk.record("a"),
        rejects=[reject],
        filtered={"when": 2},
        skipped={"deleted": 3},
        cursor={"f.csv": {"offset": 10}, "old.csv": None},
        done=[{"move": "f.csv"}],
    )
    assert stored.counts == {
        "read": 4, "mapped": 1, "filtered": 2, "invalid": 1, "skipped": 3, "activities": 1, "new": 1,
    }  # fmt: skip
    assert checkpoints.load(desk.conn, "s") == {"f.csv": {"offset": 10}}
    assert [item.value for item in settlements.pending(desk.conn, "s")] == [{"move": "f.csv"}]
    assert desk.balanced()


def test_what_is_held_stays_held_with_a_newer_version(desk: Any) -> None:
    desk.store(desk.record("a", "A"))
    outbox.hold(desk.conn, ["a"])
    assert desk.store(desk.record("a", "B")).due == []
    assert desk.due() == []
    assert outbox.release(desk.conn, ["a"], desk.now) == 1
    assert [due.body for due in desk.due()] == [desk.activity("a", "B").body]
    assert desk.balanced()


def test_a_newer_version_waits_while_an_abandoned_request_may_still_be_executed(desk: Any) -> None:
    [due] = desk.store(desk.record("a", "A")).due
    desk.settle(due, Again(reason="timeout", doubt=True), retry_in=1)
    desk.clock.seconds += 20
    assert [due.wait for due in desk.store(desk.record("a", "B")).due] == [100]
    assert outbox.next_due(desk.conn, desk.now) == 100
    desk.clock.seconds += 100
    assert [due.version for due in desk.due()] == [2]


def test_the_wait_goes_on_for_every_version_after_it(desk: Any) -> None:
    [due] = desk.store(desk.record("a", "A")).due
    desk.settle(due, Again(reason="timeout", doubt=True), retry_in=1)
    desk.store(desk.record("a", "B"))
    assert [due.wait for due in desk.store(desk.record("a", "C")).due] == [120]
    assert outbox.next_due(desk.conn, desk.now) == 120


def test_the_wait_applies_also_when_the_same_version_was_delivered_since(desk: Any) -> None:
    """The first request for it may still be executed after the second one, and after the newer version."""
    [due] = desk.store(desk.record("a", "A")).due
    desk.settle(due, Again(reason="timeout", doubt=True), retry_in=1)
    desk.clock.seconds += 1
    desk.settle(due)
    assert [due.wait for due in desk.store(desk.record("a", "B")).due] == [119]
    assert outbox.next_due(desk.conn, desk.now) == 119


@pytest.mark.parametrize("text", ["a\udcffb", "nul\0here"])
def test_what_no_database_can_hold_does_not_stop_a_batch(desk: Any, text: str) -> None:
    """File names may hold bytes that are no text."""
    mapped = desk.record("a", text.encode("utf-8", "backslashreplace").decode(), record=text)
    stored = desk.store(mapped, desk.record("b"))
    assert stored.counts["new"] == 2
    assert desk.store(mapped).counts["unchanged"] == 1
