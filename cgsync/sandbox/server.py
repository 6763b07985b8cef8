"""The sandbox as a server: addresses, routes, start and stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import time
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from cgsync.errors import CgsyncError
from cgsync.sandbox.faults import Faults
from cgsync.sandbox.inspection import Inspection
from cgsync.sandbox.limit import RateLimit
from cgsync.sandbox.misbehave import play, respond
from cgsync.sandbox.receiver import TOO_LARGE, Receiver, read
from cgsync.sandbox.reply import Reply
from cgsync.sandbox.store import Store
from cgsync.sandbox.tokens import Tokens

MAX_BODY = 1024 * 1024
"""Bytes of one PUT."""

NOT_FOUND = Reply.of(404, {"message": "Not Found."})
METHOD_NOT_ALLOWED = Reply.of(405, {"message": "The method is not supported for this route."}, {"Allow": "PUT"})


class Sandbox:
    """A running stand-in for CustomerGauge; an async context manager.

    ``port`` 0 takes a free one. ``rate_limit`` is PUTs a second, ``latency`` and ``token_lifetime`` are seconds.
    What arrives is kept in memory and gone with the sandbox. ``store``, ``tokens`` and ``faults`` are there for tests.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        client_id: str = "sandbox",
        client_secret: str = "sandbox",  # noqa: S107  # what is meant to be known is no secret
        rate_limit: float | None = None,
        latency: float = 0,
        token_lifetime: float = 3600,
    ) -> None:
        self._host, self._port, self._latency = host, port, latency
        self.client_id, self._client_secret = client_id, client_secret
        self.store, self.faults = Store(), Faults()
        self.tokens = Tokens(client_id, client_secret, lifetime=token_lifetime, now=time.monotonic)
        limit = RateLimit(rate_limit, now=time.monotonic) if rate_limit else None
        self._receiver = Receiver(self.store, self.tokens, limit)
        self._stopping = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._listening: socket.socket | None = None
        self._back: asyncio.Task[None] | None = None

    @property
    def page(self) -> str:
        """The address for people, with the slash."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}/"

    @property
    def url(self) -> str:
        """What goes into ``customergauge.url``."""
        return self.page + "activities"

    @property
    def token_url(self) -> str:
        """What goes into ``customergauge.token_url``."""
        return self.page + "oauth2/token"

    def addresses(self) -> dict[str, str]:
        """What goes below ``customergauge:``; a secret other than the one everybody knows is not shown."""
        secret = self._client_secret if self._client_secret == "sandbox" else "…"  # noqa: S105  # see above
        return {"url": self.url, "token_url": self.token_url, "client_id": self.client_id, "client_secret": secret}

    async def __aenter__(self) -> Sandbox:
        self._runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        try:
            await self._listen(self._runner)
        except OSError as error:
            await self._runner.cleanup()
            where = f"{self._host}:{self._port}"
            raise CgsyncError(
                f"sandbox: cannot listen on {where}: {error.strerror}", hint="take another --port"
            ) from error
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stopping.set()
        if self._back is not None:
            await self._back
        if self._runner is not None:
            await self._accept_nobody()
            await self._runner.cleanup()

    async def _listen(self, runner: web.AppRunner) -> None:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        self._listening = socket.create_server((self._host, self._port), family=family, backlog=128)
        await web.SockSite(runner, self._listening).start()
        self._port = runner.addresses[0][1]

    async def _accept_nobody(self) -> None:
        """Before it is closed: asyncio would lose, and never close, a connection that it accepts in that moment."""
        if self._listening is not None and self._listening.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._listening)
            for _ in range(2):  # what was accepted gets its transport in one step, and its protocol in the next
                await asyncio.sleep(0)

    async def _go_down(self, seconds: float) -> None:
        """Cut every connection and refuse new ones, until the time is over or the sandbox ends."""
        runner = self._runner
        assert runner is not None
        await self._accept_nobody()
        for site in list(runner.sites):
            await site.stop()
        for connection in runner.server.connections if runner.server else ():
            connection.force_close()
            if connection.transport is not None:
                connection.transport.abort()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
        if not self._stopping.is_set():
            await self._listen(runner)

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=MAX_BODY, middlewares=[_speak_json])
        for path in ("/activities", "/activities/"):
            app.router.add_put(path, self._put)
        app.router.add_post("/oauth2/token", self._token)
        Inspection(self).add_to(app.router)
        return app

    async def _put(self, request: web.Request) -> web.StreamResponse:
        if self._latency:
            await asyncio.sleep(self._latency)
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return respond(self._receiver.refuse(TOO_LARGE, "refused", b""))
        if self.faults:
            answer = await self._misbehave(request, body)
            if answer is not None:
                return answer
        return respond(self._receiver.put(request.headers, body))

    async def _misbehave(self, request: web.Request, body: bytes) -> web.StreamResponse | None:
        reference = (read(body) or {}).get("reference")
        fault = self.faults.met("put", reference if isinstance(reference, str) else None)
        if fault is None:
            return None
        if fault.kind == "revoke":
            self.tokens.revoke()
            return None  # the request now meets its 401 on the usual way
        if fault.kind == "down" and (self._back is None or self._back.done()):
            self._back = asyncio.create_task(self._go_down(1.0 if fault.seconds is None else fault.seconds))
        return await play(
            fault,
            request,
            self._stopping,
            lambda: self._receiver.put(request.headers, body),
            lambda reply: self._receiver.refuse(reply, fault.kind, body),
        )

    async def _token(self, request: web.Request) -> web.StreamResponse:
        form = {key: value for key, value in (await request.post()).items() if isinstance(value, str)}
        fault = self.faults.met("token")
        if fault is not None:
            return await play(fault, request, self._stopping, lambda: self._grant(form), self._deny)
        return respond(self._grant(form))

    def _grant(self, form: Mapping[str, str]) -> Reply:
        reply = self.tokens.answer(form)
        return reply if reply.status == 200 else self._deny(reply)

    def _deny(self, reply: Reply) -> Reply:
        self.store.counters["tokens_refused"] += 1
        return reply

    def stats(self) -> dict[str, Any]:
        """The counters: puts, applied, created, updated, refused, tokens and what else happened."""
        named = ("puts", "applied", "created", "updated", "refused", "unauthenticated", "limited", "tokens_refused")
        counters = {name: self.store.counters[name] for name in named}
        size = {"activities": len(self.store), "accounts": len(self.store.accounts), "types": len(self.store.types)}
        return {**size, **self.store.counters, **counters, "tokens": self.tokens.issued}


@web.middleware
async def _speak_json(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        response: web.StreamResponse = await handler(request)
    except web.HTTPNotFound:
        return respond(NOT_FOUND)
    except web.HTTPMethodNotAllowed:
        return respond(METHOD_NOT_ALLOWED)
    return response


async def serve(**options: Any) -> None:
    """Run a sandbox until SIGINT or SIGTERM, and print its addresses. ``options`` are those of :class:`Sandbox`."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with Sandbox(**options) as sandbox:
        lines = [f"  {name:14} {value}" for name, value in {"page": sandbox.page, **sandbox.addresses()}.items()]
        print("CustomerGauge sandbox, in memory. Stop it with Ctrl-C.", "", *lines, sep="\n", flush=True)
        await stop.wait()
