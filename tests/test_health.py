"""How a source is: since when it is so, and what is wrong with it until that is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cgsync.drained import Drained
from cgsync.health import Condition, Health

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
