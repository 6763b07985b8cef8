"""One row to the receiver: the PUT, once more with a fresh token after a 401, once more without an unknown contact."""

from __future__ import annotations

from cgsync.api import Clock, Log
from cgsync.delivery.answer import Answer, Broken
from cgsync.delivery.classify import classify
from cgsync.delivery.contact import blames_contact, without_contact
from cgsync.delivery.crew import Withdrawn, Worker
from cgsync.delivery.transport import Admit, Transport
from cgsync.http import Pace, quota
from cgsync.model import Due, Outcome


class Courier:
    """Brings rows for all workers, and learns the pace from what comes back."""

    def __init__(self, transport: Transport, pace: Pace, *, clock: Clock, log: Log, drops_contacts: bool) -> None:
        self._transport = transport
        self._pace = pace
        self._clock = clock
        self._log = log
        self._drops_contacts = drops_contacts

    async def bring(self, row: Due, worker: Worker, admit: Admit) -> Outcome:
        """What came of it. ``admit`` is awaited before each first byte; raises what that raises: Withdrawn."""
        outcome = await self._put(row.body, worker, admit)
        if self._drops_contacts and blames_contact(outcome) and (rest := without_contact(row.body)):
            self._log.info("sent once more without its unknown contact", reference=row.reference)
            outcome = await self._put(rest, worker, admit)
        return outcome

    async def _put(self, body: bytes, worker: Worker, admit: Admit) -> Outcome:
        """One PUT, and after a 401 one more with a fresh token; a 401 for that one too is the set-up's fault."""
        for _ in range(2):
            if worker.stopping:
                raise Withdrawn
            answer = await self._answer(body, admit)
            worker.on_wire = False
            if isinstance(answer, Broken) or answer.status != 401:
                break
            self._transport.renew(answer.generation)
        return classify(answer, now=self._clock.now())

    async def _answer(self, body: bytes, admit: Admit) -> Answer | Broken:
        try:
            answer = await self._transport.put(body, admit)
        except Broken as broken:
            return broken
        if (left := quota(answer.headers, now=self._clock.now())) is not None:
            self._pace.learn(remaining=left.remaining, reset=left.reset, limit=left.limit)
        return answer
