"""A process of its own that refreshes a token and uses it; it may be killed at any instant."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from cgsync.clock import SystemClock
from cgsync.hosting import SecretFiles
from cgsync.http import OAuth2, Tokens, network, open_http
from cgsync.secrets import Redactor, Secret

assert network  # imported here, so that it is there before a process begins


def use(base: str, folder: str) -> None:
    """One call of the API with a fresh token; ends with 0 when it was accepted."""
    sys.exit(asyncio.run(_call(base, Path(folder))))


async def _call(base: str, folder: Path) -> int:
    clock = SystemClock()
    issuer = OAuth2(
        url=base + "token",
        client_id="client-1",
        clock=clock,
        refresh_token=Secret("refresh-0"),
        store=SecretFiles(folder, Redactor()),
    )
    async with open_http(origin=base, auth=Tokens(issuer, clock=clock), clock=clock) as http:
        return 0 if (await http.get(base + "api")).status == 200 else 1
