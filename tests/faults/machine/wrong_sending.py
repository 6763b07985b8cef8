"""Wrong programs whose fault lies in what is sent, and when."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from typing import Any, TypeAlias

import pytest

from cgsync.delivery import breaker, classify, courier, crew, gate, rows, steering
from cgsync.errors import LedgerError
from cgsync.http import Redaction, Tokens
from cgsync.model import Again, Delivered, Refused
from cgsync.sender import Sender

Mutant: TypeAlias = Callable[[pytest.MonkeyPatch], None]

# the package has functions of the same names
due: Any = import_module("cgsync.ledger.outbox.due")
settle: Any = import_module("cgsync.ledger.outbox.settle")
storing: Any = import_module("cgsync.ledger.outbox.store")


def two_in_flight(patch: pytest.MonkeyPatch) -> None:
    offer = rows.Rows.offer

    def mutant(self: Any, offered: Any) -> bool:
        offered = list(offered)
        for row in offered:
            if (busy := self._busy.get(row.key)) is not None and row.version > busy.version:
                del self._busy[row.key]
        return offer(self, offered)

    def settled(self: Any, done: Any) -> bool:
        for row in done:
            self._busy.pop(row.key, None)
        self._update()
        return True

    patch.setattr(rows.Rows, "offer", mutant)
    patch.setattr(rows.Rows, "settled", settled)


def gate_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(gate.Gate, "close", lambda *_, **__: False)


def gate_opened_by_any_success(patch: pytest.MonkeyPatch) -> None:
    passed = steering.Steering._passed
    patch.setattr(steering.Steering, "_passed", lambda self, row, *, probe: passed(self, row, probe=True))


def every_worker_refreshes(patch: pytest.MonkeyPatch) -> None:
    async def mutant(self: Any) -> Any:
        task = asyncio.create_task(self._renew())
        task.add_done_callback(self._ended)
        return await task

    patch.setattr(Tokens, "_renewed", mutant)


def good_token_dropped(patch: pytest.MonkeyPatch) -> None:
    """A late 401 for an old token takes the new one away."""

    def mutant(self: Any, generation: int) -> bool:
        self._token = None
        return True

    patch.setattr(Tokens, "invalidate", mutant)


def pause_burns_attempts(patch: pytest.MonkeyPatch) -> None:
    """A 429 counts against the row."""
    real = classify

    def mutant(answer: Any, *, now: Any) -> Any:
        outcome = real(answer, now=now)
        return replace(outcome, counted=True) if isinstance(outcome, Again) else outcome

    patch.setattr(courier, "classify", mutant)


def failure_taken_for_refusal(patch: pytest.MonkeyPatch) -> None:
    real = classify

    def mutant(answer: Any, *, now: Any) -> Any:
        outcome = real(answer, now=now)
        if isinstance(outcome, Again) and (outcome.status or 0) >= 500:
            return Refused(status=outcome.status or 0, reasons={"": "no"})
        return outcome

    patch.setattr(courier, "classify", mutant)


def portal_taken_for_the_api(patch: pytest.MonkeyPatch) -> None:
    """Whatever comes with a 200 is a success."""
    real = classify

    def mutant(answer: Any, *, now: Any) -> Any:
        outcome = real(answer, now=now)
        if isinstance(outcome, Again) and outcome.status == 200:
            return Delivered(status=200)
        return outcome

    patch.setattr(courier, "classify", mutant)


def backoff_without_bound(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(steering, "full_jitter", lambda *_, **__: timedelta(hours=2))


def retry_after_ignored(patch: pytest.MonkeyPatch) -> None:
    retry_in = steering.Steering._retry_in

    def mutant(self: Any, row: Any, outcome: Any) -> timedelta:
        return retry_in(self, row, replace(outcome, after=None) if isinstance(outcome, Again) else outcome)

    patch.setattr(steering.Steering, "_retry_in", mutant)


def breaker_without_breadth(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(breaker, "BREADTH", 1)


def brake_on_the_first_refusal(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(breaker.Brake, "refused", lambda *_: True)


def sent_on_without_a_disk(patch: pytest.MonkeyPatch) -> None:
    settle_all = Sender._settle

    async def mutant(self: Any) -> None:
        with contextlib.suppress(LedgerError):
            await settle_all(self)

    patch.setattr(Sender, "_settle", mutant)


def stopped_without_waiting(patch: pytest.MonkeyPatch) -> None:
    """What is on the wire is cut off, and the stop is called clean."""

    def mutant(self: Any) -> None:
        for worker in self._workers:
            worker.stopping = True
            worker.task.cancel()

    patch.setattr(crew.Crew, "stop", mutant)


def never_stops(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(crew.Crew, "stop", lambda _: None)


def never_probes(patch: pytest.MonkeyPatch) -> None:
    async def mutant(self: Any) -> None:
        await asyncio.get_running_loop().create_future()

    patch.setattr(gate.Gate, "probe_due", mutant)


def secret_shown(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Redaction, "__call__", lambda _, words, *__: words)


SENDING = (
    two_in_flight,
    gate_ignored,
    gate_opened_by_any_success,
    every_worker_refreshes,
    good_token_dropped,
    pause_burns_attempts,
    failure_taken_for_refusal,
    portal_taken_for_the_api,
    backoff_without_bound,
    retry_after_ignored,
    breaker_without_breadth,
    brake_on_the_first_refusal,
    sent_on_without_a_disk,
    stopped_without_waiting,
    never_stops,
    never_probes,
    secret_shown,
)
