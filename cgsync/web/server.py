"""The HTTP server: /metrics, /healthz, /readyz; it changes nothing, and answers only to names it knows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from cgsync.api import Log
from cgsync.config import WebConfig
from cgsync.errors import ConfigError
from cgsync.web.hosts import allowed

if TYPE_CHECKING:
    from aiohttp import web
    from aiohttp.typedefs import Middleware

    Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]

METRICS = "text/plain; version=0.0.4; charset=utf-8"
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'",
}


class Server:
    """Answers by three functions: the metrics as text; whether the daemon lives; why it is not ready, or nothing."""

    def __init__(
        self,
        *,
        metrics: Callable[[], Awaitable[str]],
        alive: Callable[[], Awaitable[object]],
        unready: Callable[[], str],
        log: Log,
    ) -> None:
        self._metrics = metrics
        self._alive = alive
        self._unready = unready
        self._log = log
        self._wanted: WebConfig | None = None
        self._runner: web.AppRunner | None = None

    async def listen(self, wanted: WebConfig | None) -> None:
        """Listen there, and no longer elsewhere; ``None``: nowhere.

        An address that cannot be had is a :class:`ConfigError` if it was chosen, else a warning; the old one stays.
        """
        async with self.moving(wanted):
            pass

    @asynccontextmanager
    async def moving(self, wanted: WebConfig | None) -> AsyncIterator[None]:
        """Listen there too during the block; after it no longer elsewhere, or, if it raises, no longer there."""
        old = self._runner
        fresh = old if self._is_there(wanted) else await self._opened(wanted) if wanted else None
        try:
            yield
        except BaseException:
            if fresh is not old:
                await _end(fresh)
            raise
        self._runner, self._wanted = fresh, wanted
        if fresh is not old:
            await _end(old)

    async def close(self) -> None:
        await _end(self._runner)
        self._runner = None

    def _is_there(self, wanted: WebConfig | None) -> bool:
        """Whether we listen at that address already."""
        if wanted is None or self._wanted is None or self._runner is None:
            return False
        return (wanted.host, wanted.port) == (self._wanted.host, self._wanted.port)

    async def _opened(self, wanted: WebConfig) -> web.AppRunner | None:
        from aiohttp import web  # here: 2 MB for those who want it

        app = web.Application(middlewares=[self._guard(wanted)])
        for path, answer in (("/metrics", self._tell), ("/healthz", self._health), ("/readyz", self._ready)):
            app.router.add_get(path, answer)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, wanted.host, wanted.port).start()
        except OSError as error:
            await runner.cleanup()
            words = f"{wanted.host}:{wanted.port} cannot be listened on: {error.strerror}"
            hint = "name a free one with `web: { listen: … }`, or off"
            if wanted.chosen:
                raise ConfigError(words, hint=hint) from error
            self._log.warning("no metrics over HTTP", reason=words, hint=hint)
            return None
        return runner

    def _guard(self, wanted: WebConfig) -> Middleware:
        from aiohttp import web

        @web.middleware
        async def guard(request: web.Request, handler: Answering) -> web.StreamResponse:
            now = self._wanted if self._is_there(wanted) and self._wanted else wanted  # its names may have changed
            if allowed(request.headers.get("Host", ""), now) and not request.headers.get("Origin"):
                return await handler(request)
            return web.Response(status=403, text="not by this name: see `web: { hosts: … }`\n", headers=HEADERS)

        return guard

    async def _tell(self, _: web.Request) -> web.Response:
        from aiohttp import web

        return web.Response(body=(await self._metrics()).encode(), headers=HEADERS | {"Content-Type": METRICS})

    async def _health(self, _: web.Request) -> web.Response:
        from aiohttp import web

        await self._alive()
        return web.Response(text="ok\n", headers=HEADERS)

    async def _ready(self, _: web.Request) -> web.Response:
        from aiohttp import web

        words = self._unready()
        return web.Response(status=503 if words else 200, text=f"{words or 'ready'}\n", headers=HEADERS)


async def _end(runner: web.AppRunner | None) -> None:
    if runner is not None:
        await runner.cleanup()
