"""How a source is: since when it is so, and what is wrong with it until that is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cgsync.drained import Drained
from cgsync.health import Condition, Health
from cgsync.ledger.freshness import Alarm, Kind

START = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)


def at(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


def failed() -> Health:
    health = Health(since=START)
    health.fail(Condition.HELD, at(1), error="a bug", hint="reload", traceback="in fetch")
    return health


def test_a_condition_lasts_since_it_began() -> None:
    health = failed()
    health.fail(Condition.HELD, at(2), error="another", hint="")
    assert (health.since, health.error, health.traceback) == (at(1), "another", "")
    health.become(Condition.POLLING, at(3))
    assert (health.condition, health.since) == (Condition.POLLING, at(3))


def test_an_error_is_shown_until_a_poll_goes_well_or_somebody_lets_it_rest() -> None:
    mended, resting = failed(), failed()
    mended.succeed(Drained(), at(2))
    resting.rest(at(2))
    assert (mended.condition, mended.last_success, mended.polls) == (Condition.IDLE, at(2), 1)
    assert (resting.condition, resting.last_success, resting.polls) == (Condition.PAUSED, None, 0)
    for health in (mended, resting):
        assert (health.error, health.hint, health.traceback) == ("", "", "")


def test_a_part_that_failed_is_shown_until_something_is_heard_of_it_again() -> None:
    health = Health(since=START)
    health.succeed(Drained(problems={"a": "gone", "b": "gone"}), at(1))
    health.succeed(Drained(moved={"a"}, problems={"c": "locked"}), at(2))
    assert health.problems == {"b": "gone", "c": "locked"}


BLIND, SILENT = (Alarm(kind=kind, since=START, words=f"{kind}, in words") for kind in Kind)


@pytest.mark.parametrize(
    ("condition", "blind", "silent"),
    [
        *[(word, "blind", "silent") for word in (Condition.STARTING, Condition.IDLE, Condition.POLLING)],
        (Condition.UNAVAILABLE, "blind", "unavailable"),
        *[(word, word, word) for word in (Condition.MISCONFIGURED, Condition.HELD, Condition.PAUSED)],
    ],
)
def test_what_looks_well_and_is_not_is_called_by_its_alarm_and_what_to_act_on_by_itself(
    condition: Condition, blind: str, silent: str
) -> None:
    for alarm, outlook in ((BLIND, blind), (SILENT, silent), (None, condition)):
        health = Health(condition=condition, since=at(1), error="why", alarm=alarm)
        assert health.outlook == outlook
        told = (alarm.words, START) if alarm and outlook == alarm.kind else ("why", at(1))
        assert (health.words, health.outlook_since) == told
