"""From the configuration to a sender: the token, the connections and the pace for one receiver."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from cgsync.api import Clock, Log
from cgsync.config import ReceiverConfig
from cgsync.delivery import open_transport
from cgsync.http import Pace, client_credentials
from cgsync.secrets import Redactor
from cgsync.sender import Outbox, Sender


@asynccontextmanager
async def open_sender(
    receiver: ReceiverConfig,
    outbox: Outbox,
    *,
    clock: Clock,
    random: Callable[[], float],
    log: Log,
    redactor: Redactor | None = None,
) -> AsyncIterator[Sender]:
    """A sender for that receiver, with its own token, connections and pace. Nothing is sent before it is run."""
    tokens = client_credentials(
        receiver.token_url,
        receiver.client_id,
        receiver.client_secret,
        clock=clock,
        redactor=redactor,
        ca_file=receiver.ca_file,
        timeout=receiver.timeout,
    )
    # one connection more than workers: a probe does not wait for what hangs
    async with open_transport(
        receiver.url,
        tokens,
        connections=receiver.concurrency + 1,
        timeout=receiver.timeout,
        ca_file=receiver.ca_file,
    ) as transport:
        yield Sender(
            outbox,
            transport,
            concurrency=receiver.concurrency,
            pace=Pace(receiver.rate_limit, clock),
            clock=clock,
            random=random,
            log=log,
            unknown_contact=receiver.unknown_contact,
        )
