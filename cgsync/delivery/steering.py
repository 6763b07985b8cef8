"""What one outcome means for all the other rows: it may close the gate, open it, or slow the pace."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from cgsync.api import Log
from cgsync.delivery.backoff import full_jitter
from cgsync.delivery.breaker import Brake, Breaker
from cgsync.delivery.gate import Closing, Gate
from cgsync.delivery.poison import Poison
from cgsync.http import Pace
from cgsync.model import Again, Delivered, Due, Outcome, Paused, Refused, Result

MASS_REJECTION = "mass_rejection"
LONGEST_UNCOUNTED = timedelta(minutes=1)
"""A row that could not even be sent waits no longer: the breaker spares the other side, the row is not to blame."""
NEXT_PROBE = 1.0
"""Seconds to the next probe when one was refused for its own sake: the other side does work."""


class Steering:
    """Gate, breaker, brake and pace, and the one place that decides about them."""

    def __init__(self, gate: Gate, pace: Pace, *, random: Callable[[], float], log: Log) -> None:
        self._gate = gate
        self._pace = pace
        self._random = random
        self._log = log
        self._breaker = Breaker()
        self._brake = Brake()
        self._poison = Poison()

    def steer(self, row: Due, outcome: Outcome, *, probe: bool) -> Result:
        """Draw the consequences; returns what is to be stored."""
        match outcome:
            case Delivered():
                self._passed(row, probe=probe)
            case Refused():
                self._refused(row, outcome, probe=probe)
            case Again(gate=True):
                self._throttled(outcome, probe=probe)
            case Again():
                outcome = self._failed(row, outcome, probe=probe)
            case Paused():
                self._paused(outcome, probe=probe)
        return Result(due=row, outcome=outcome, retry_in=self._retry_in(row, outcome))

    def forgive(self) -> None:
        """A human has looked: count refusals afresh, and try now."""
        self._brake.reset()
        self._gate.probe_soon()

    def _passed(self, row: Due, *, probe: bool) -> None:
        self._breaker.answered()
        self._brake.accepted()
        self._poison.passed(row)
        if probe:
            self._open()

    def _refused(self, row: Due, outcome: Refused, *, probe: bool) -> None:
        self._log.warning("refused", reference=row.reference, status=outcome.status, reasons=dict(outcome.reasons))
        self._breaker.answered()
        closed = self._gate.closed
        braked = not row.refused_before and self._brake.refused(row.key)
        if braked or (probe and closed is not None and closed.cause == MASS_REJECTION):
            self._paused(Paused(cause=MASS_REJECTION, reason="nearly all activities are refused"), probe=probe)
        elif probe and closed is not None and closed.kind is Closing.PAUSED:
            self._gate.probe_soon(NEXT_PROBE)
        elif probe:
            self._open()

    def _throttled(self, outcome: Again, *, probe: bool) -> None:
        if self._gate.close(Closing.THROTTLED, "throttled", outcome.reason, after=outcome.after, probe=probe) or probe:
            self._pace.throttled()
            self._log.info("told to slow down", reason=outcome.reason, wait=self._gate.wait(), pace=self._pace.rate)

    def _failed(self, row: Due, outcome: Again, *, probe: bool) -> Outcome:
        self._log.info("not delivered yet", reference=row.reference, reason=outcome.reason, attempts=row.attempts)
        if outcome.counted and _is_failure_over_it(outcome) and self._poison.failed(row):
            words = f"the receiver failed over it {row.attempts + 1} times while others passed: {outcome.reason}"
            return Refused(status=outcome.status or 0, reasons={"": words})
        if self._breaker.failed(row.key) or probe:
            news = self._gate.close(Closing.BREAKER, "unavailable", outcome.reason, after=outcome.after, probe=probe)
            if news:
                self._log.warning("the receiver fails; sending waits", reason=outcome.reason, wait=self._gate.wait())
        return outcome

    def _paused(self, outcome: Paused, *, probe: bool) -> None:
        hint = HINTS.get(outcome.cause, HINTS["unexpected"])
        if self._gate.close(
            Closing.PAUSED, outcome.cause, outcome.reason, hint=hint, after=outcome.probe_after, probe=probe
        ):
            self._log.error("sending is paused", cause=outcome.cause, reason=outcome.reason, hint=hint)

    def _open(self) -> None:
        was = self._gate.open()
        self._brake.reset()
        if was is not None:
            self._log.info("sending again", after=was.cause)

    def _retry_in(self, row: Due, outcome: Outcome) -> timedelta:
        if not isinstance(outcome, Again):
            return timedelta(0)
        asked = outcome.after or timedelta(0)
        if outcome.gate:
            return asked
        if outcome.counted:
            return max(asked, full_jitter(row.attempts, self._random))
        return max(asked, full_jitter(self._breaker.in_a_row, self._random, longest=LONGEST_UNCOUNTED))


def _is_failure_over_it(outcome: Again) -> bool:
    """A 5xx, or a 2xx that is none: an answer that never came may be the network's fault."""
    status = outcome.status or 0
    return status >= 500 or 200 <= status < 300


HINTS = {
    "auth": "check client_id, client_secret, region and token_url, then `cgsync reload`",
    "forbidden": "check the client's rights and the list of allowed addresses, then `cgsync resume --sending`",
    "not_found": "check region or url",
    "redirect": "put the final address into url",
    "tls": "the certificate of the receiver is not trusted; check ca_file and the clock",
    MASS_REJECTION: "look at `cgsync rejects list`, correct the mapping, then `cgsync reload`",
    "unexpected": "look at the answer; `cgsync resume --sending` tries at once",
}
