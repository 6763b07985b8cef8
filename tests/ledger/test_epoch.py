"""The ledger's time goes on across boots, and an unclean stop leaves doubt."""

from __future__ import annotations

from typing import Any

from cgsync.ledger import outbox
from cgsync.model import Again, Refused

SETTLED = 120.0


def test_after_a_reboot_everything_that_waited_is_due(desk: Any) -> None:
    [due] = desk.store(desk.record("a")).due
    desk.settle(due, Again(reason="status 503"), retry_in=900)
    desk.clock.seconds = 5.0
    desk.restart(clean=True, boot="second")
    assert [due.reference for due in desk.due()] == ["a"]


def test_after_a_reboot_what_was_refused_still_waits_for_its_day(desk: Any) -> None:
    """Else every reboot would send all of them at once."""
    [due] = desk.store(desk.record("a")).due
    desk.settle(due, Refused(status=422, reasons={}))
    desk.clock.seconds = 5.0
    desk.restart(clean=True, boot="second")
    assert desk.due() == []


def test_rows_stay_in_order_across_a_reboot(desk: Any) -> None:
    desk.store(desk.record("a"))
    desk.clock.seconds = 5.0
    desk.restart(clean=True, boot="second")
    desk.store(desk.record("b"))
    assert [due.reference for due in desk.due()] == ["a", "b"]


def test_after_a_clean_stop_nothing_is_in_doubt(desk: Any) -> None:
    desk.store(desk.record("a", "A"))
    desk.restart(clean=True)
    assert [due.version for due in desk.store(desk.record("a", "B")).due] == [2]


def test_after_an_unclean_stop_the_same_version_may_be_sent_and_a_newer_one_waits(desk: Any) -> None:
    desk.store(desk.record("a", "A"))
    desk.restart(clean=False)
    assert [due.version for due in desk.due()] == [1]
    assert [due.wait for due in desk.store(desk.record("a", "B")).due] == [SETTLED]
    assert outbox.next_due(desk.conn, desk.now) == SETTLED
    desk.clock.seconds += SETTLED
    assert [due.version for due in desk.due()] == [2]


def test_after_an_unclean_stop_a_version_waits_that_was_stored_while_an_older_one_was_on_its_way(desk: Any) -> None:
    desk.store(desk.record("a", "A"))
    desk.store(desk.record("a", "B"))
    desk.restart(clean=False)
    assert desk.due() == []
    assert outbox.next_due(desk.conn, desk.now) == SETTLED
    desk.clock.seconds += SETTLED
    assert [due.version for due in desk.due()] == [2]


def test_after_an_unclean_stop_a_version_does_not_wait_for_one_that_was_delivered(desk: Any) -> None:
    [due] = desk.store(desk.record("a", "A")).due
    desk.settle(due)
    desk.store(desk.record("a", "B"))
    desk.restart(clean=False)
    assert [due.version for due in desk.due()] == [2]


def test_a_reboot_counts_as_an_unclean_stop(desk: Any) -> None:
    """The time that an abandoned request may take is not over because the machine was quick."""
    desk.store(desk.record("a", "A"))
    desk.clock.seconds = 5.0
    desk.restart(clean=True, boot="second")
    assert [due.wait for due in desk.store(desk.record("a", "B")).due] == [SETTLED]
    assert outbox.next_due(desk.conn, desk.now) == SETTLED


def test_what_is_stored_after_the_start_is_not_in_doubt(desk: Any) -> None:
    desk.restart(clean=False)
    desk.clock.seconds += 1
    desk.store(desk.record("a", "A"))
    assert len(desk.store(desk.record("a", "B")).due) == 1


def test_what_was_delivered_before_an_unclean_stop_is_not_in_doubt(desk: Any) -> None:
    [due] = desk.store(desk.record("a", "A")).due
    desk.settle(due)
    desk.restart(clean=False)
    assert len(desk.store(desk.record("a", "B")).due) == 1


def test_what_is_delivered_soon_after_an_unclean_stop_keeps_its_doubt(desk: Any) -> None:
    """The request that the stop abandoned may be executed after the one that was answered."""
    [due] = desk.store(desk.record("a", "A")).due
    desk.restart(clean=False)
    desk.clock.seconds += 10
    desk.settle(due)
    assert [due.wait for due in desk.store(desk.record("a", "B")).due] == [SETTLED - 10]
    assert outbox.next_due(desk.conn, desk.now) == SETTLED - 10


def test_a_clean_restart_does_not_end_the_doubt_of_the_unclean_one_before(desk: Any) -> None:
    desk.store(desk.record("a", "A"))
    desk.restart(clean=False)
    desk.clock.seconds += 10
    desk.restart(clean=True)
    assert [due.wait for due in desk.store(desk.record("a", "B")).due] == [SETTLED - 10]


def test_the_doubt_of_a_timeout_survives_a_reboot(desk: Any) -> None:
    [due] = desk.store(desk.record("a", "A")).due
    desk.settle(due, Again(reason="timeout", doubt=True), retry_in=1)
    desk.settle(due)
    desk.clock.seconds = 5.0
    desk.restart(clean=True, boot="second")
    assert [due.wait for due in desk.store(desk.record("a", "B")).due] == [SETTLED]
