"""An OAuth2 server with an API behind it, as strict as they come."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote_plus

from aiohttp import web

CLIENT = "client-1"
SECRET = "s3cret+canary/1"


class Authority:
    """Issues access-1, access-2, …; each refresh token is good until what took its place is first used.

    ``revoked`` ends access tokens. ``strict``: a refresh token is good for one use, whatever becomes of the answer.
    """

    def __init__(self, *, refresh: str = "refresh-0", rotating: bool = True) -> None:
        self.asked: list[Mapping[str, str]] = []
        self.headers: list[Mapping[str, str]] = []
        self.good = {refresh}
        self.rotating = rotating
        self.successor: dict[str, str] = {}
        self.revoked: set[str] = set()
        self.calls: list[str] = []
        self.answered: Callable[[], None] = lambda: None
        self.wrap: Callable[[dict[str, Any]], dict[str, Any]] = lambda reply: reply
        self.hold = asyncio.Event()
        self.hold.set()

    @property
    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/token", self.token)
        app.router.add_get("/api", self.api)
        return app

    async def token(self, request: web.Request) -> web.Response:
        form = {str(name): str(value) for name, value in (await request.post()).items()}
        self.asked.append(form)
        self.headers.append(request.headers)
        await self.hold.wait()
        reply: dict[str, Any] = {"access_token": f"access-{len(self.asked)}-canary", "expires_in": 3600}
        if form["grant_type"] == "refresh_token":
            if form["refresh_token"] not in self.good:
                return web.json_response({"error": "invalid_grant"}, status=400)
            reply |= self._rotated(form["refresh_token"], str(reply["access_token"]))
        self.answered()
        return web.json_response(self.wrap(reply))

    async def api(self, request: web.Request) -> web.Response:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        self.calls.append(token)
        self._used(token)
        return web.json_response({"sees": token}, status=401 if token in self.revoked or not token else 200)

    def _rotated(self, used: str, access: str) -> dict[str, str]:
        self._used(used)
        if not self.rotating:
            return {}
        fresh = f"refresh-{len(self.asked)}-canary"
        self.good.add(fresh)
        self.successor[fresh] = self.successor[access] = used
        return {"refresh_token": fresh}

    def _used(self, token: str) -> None:
        """What came before it is good no more."""
        self.good.discard(self.successor.pop(token, ""))


def basic_of(headers: Mapping[str, str]) -> tuple[str, str]:
    """User and password of a basic authorization, as RFC 6749 has them."""
    user, _, password = base64.b64decode(headers["Authorization"].removeprefix("Basic ")).decode().partition(":")
    return unquote_plus(user), unquote_plus(password)
