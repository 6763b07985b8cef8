"""What the daemon of the machine is set up with: sources and a receiver that are in our hand."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cgsync.api import Clock, SourceType
from cgsync.config import Config, ReceiverConfig, Schedule, SourceConfig
from cgsync.config.settings import Limits
from cgsync.errors import LedgerError
from cgsync.http import OAuth2, Pace, Redaction, Tokens
from cgsync.mapping import MappingSpec
from cgsync.model import Due, Result
from cgsync.secrets import Redactor, Secret
from cgsync.sender import Outbox, Sender
from cgsync.testing import MemoryLog
from tests.faults.machine.origin import Origin, Tap
from tests.faults.machine.receiver import Api, HandLine, HandWire

SECRET = "canary-secret"
UTC_ZONE = ZoneInfo("UTC")
EVERY = timedelta(minutes=5)
SCRIPT = SourceType(
    name="script",
    options_schema={"type": "object"},
    sample="{}",
    open=lambda options, context: options["tap"].open(context.window),
    windows=True,
)


class Log(MemoryLog):
    """The one log of all sources."""

    def bind(self, **_: Any) -> Log:
        return self


@functools.cache
def receiver() -> ReceiverConfig:
    """The same for all, so that no reload takes it for another."""
    return ReceiverConfig(
        url="https://receiver.example/activities",
        token_url="https://receiver.example/token",
        client_id="someone",
        client_secret=Secret(SECRET),
        rate_limit=1e6,
        concurrency=3,
    )


def configuration(folder: Path, taps: Iterable[Tap]) -> Config:
    """The configuration with these sources, as each is set up now."""
    sources = {tap.origin.name: _source(tap) for tap in taps}
    return Config(
        path=folder / "cgsync.yaml",
        files=(),
        receiver=receiver(),
        state_dir=folder,
        runtime_dir=folder,
        sources=sources,
        disk_reserve=0,
    )


def _source(tap: Tap) -> SourceConfig:
    origin = tap.origin
    return SourceConfig(
        name=origin.name,
        plugin=SCRIPT.name,
        type=SCRIPT,
        options={"tap": tap},
        schedule=Schedule(every=EVERY, timezone=UTC_ZONE),
        timezone=UTC_ZONE,
        mapping=mapping(origin),
        limits=Limits(new_accounts=origin.new_accounts),
        fingerprint=f"{origin.mended} {origin.new_accounts}",
    )


def mapping(origin: Origin) -> MappingSpec:
    """Records become activities that differ in their account; a mended one knows what to do without one."""
    account = "{{ record.account or 'Mended ' ~ record.name }}" if origin.mended else "{{ record.account }}"
    activity = {
        "reference": f"{origin.name}-{{{{ record.id }}}}",
        "account": account,
        "contact": "{{ record.from }}",
        "type": "Ticket",
        "source": "Desk",
        "happened_at": "2026-03-04 10:00:00",
    }
    return MappingSpec(
        record_name="record", when="{{ not record.skip }}", activities=[activity], timezone=UTC_ZONE, listed=False
    )


class Watched:
    """An outbox; somebody hears of an outcome that could not be stored."""

    def __init__(self, outbox: Outbox, on_failure: Callable[[], object]) -> None:
        self._outbox = outbox
        self._on_failure = on_failure

    async def due(self, limit: int) -> tuple[Sequence[Due], float | None]:
        return await self._outbox.due(limit)

    async def settle(self, results: Sequence[Result]) -> Sequence[Due]:
        try:
            return await self._outbox.settle(results)
        except LedgerError:
            self._on_failure()
            raise


class Line:
    """The way from one process to the API; ``opens`` is what the engine makes its sender with."""

    def __init__(
        self, api: Api, owner: object, alive: Callable[[], bool], on_failure: Callable[[object], object]
    ) -> None:
        self._api = api
        self._owner = owner
        self._alive = alive
        self._on_failure = on_failure

    @asynccontextmanager
    async def opens(
        self, receiver: ReceiverConfig, outbox: Outbox, *, clock: Clock, redactor: Redactor, **more: Any
    ) -> AsyncIterator[Sender]:
        """As :func:`cgsync.dispatch.open_sender`."""
        issuer = OAuth2(
            url=receiver.token_url, client_id=receiver.client_id, client_secret=receiver.client_secret, clock=clock
        )
        line = HandLine(self._api, self._owner)
        tokens = Tokens(issuer, clock=clock, wire=line, redaction=Redaction(redactor))
        try:
            yield Sender(
                Watched(outbox, lambda: self._on_failure(self._owner)),
                HandWire(self._api, tokens, self._owner, self._alive),
                concurrency=receiver.concurrency,
                pace=Pace(receiver.rate_limit, clock),
                clock=clock,
                **more,
            )
        finally:
            await tokens.aclose()
