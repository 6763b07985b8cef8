"""A server whose answers a test writes, in turn or by address."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from aiohttp import web
from aiohttp.test_utils import TestServer

Answer: TypeAlias = "Callable[[web.Request], Any]"


@dataclass(slots=True)
class Site:
    """``answer``: from a request to what is sent: a response, or what becomes JSON."""

    url: str = ""
    answer: Answer = lambda _: []
    requests: list[web.Request] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        self.bodies.append(await request.read())
        answer = self.answer(request)
        return (
            answer
            if isinstance(answer, web.StreamResponse)
            else web.Response(text=json.dumps(answer), content_type="application/json")
        )

    @property
    def asked(self) -> list[str]:
        """Paths with their queries, in the order in which they came."""
        return [str(request.rel_url) for request in self.requests]


@asynccontextmanager
async def open_site() -> AsyncIterator[Site]:
    site = Site()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", site.serve)
    async with TestServer(app) as server:
        site.url = str(server.make_url("/")).rstrip("/")
        yield site


def in_turn(*answers: Any) -> Answer:
    """Each once, the last one for ever."""
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]
