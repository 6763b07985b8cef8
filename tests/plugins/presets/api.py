"""A vendor's API on loopback, shaped as its documentation shows it: what all of them have in common."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from aiohttp import web

Json = Any
SECRET = "correct-horse-battery"  # the one credential that is right, whatever the vendor calls it


PAGE = 2
"""Records on a page, where the vendor may give fewer than were asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request as it came."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Json


class Api:
    """A vendor's API that holds four records: two whole ones, one without a contact, one without a company.

    ``first`` is what the preset makes of them, ``then`` what it makes of what :meth:`edit` changed and added;
    ``rejected`` are the keys of records that become none, with the field at fault.
    """

    preset: ClassVar[str]
    listing: ClassVar[str]
    """the path of the request that pages"""
    small: ClassVar[Json] = {}
    """options under ``rest:`` that make pages of two"""
    wrong: ClassVar[Mapping[str, str]]
    """what is given in place of a right credential"""
    first: ClassVar[Sequence[Json]]
    then: ClassVar[Sequence[Json]]
    rejected: ClassVar[Mapping[str, str]]
    pause: ClassVar[int] = 7
    """seconds that :meth:`limit` asks to wait for; 0: the vendor does not say"""

    def __init__(self) -> None:
        self.url = ""
        self.seen: list[Seen] = []
        self.served = 0
        """records on all pages of the listing"""
        self.limits_left = 0

    def given(self) -> dict[str, Json]:
        """``with:``, as a user of this API would write it."""
        raise NotImplementedError

    def allowed(self, seen: Seen) -> bool:
        """Does the request carry the credential?"""
        raise NotImplementedError

    def answer(self, seen: Seen) -> web.Response:
        """To a request that is allowed."""
        raise NotImplementedError

    def limit(self) -> web.Response:
        """Too many requests, in the vendor's words."""
        return reply({"message": "too many requests"}, status=429, headers={"Retry-After": str(self.pause)})

    def edit(self) -> None:
        """Change the first record, and add one."""
        raise NotImplementedError

    @property
    def pages(self) -> list[Seen]:
        """The requests that asked for a page of the listing."""
        return [each for each in self.seen if each.path.startswith(self.listing)]

    async def respond(self, request: web.Request) -> web.Response:
        body = await request.json() if request.content_type == "application/json" else dict(await request.post())
        seen = Seen(
            method=request.method, path=request.path, query=request.query.copy(), headers=request.headers, body=body
        )
        self.seen.append(seen)
        if not self.allowed(seen):
            return reply({"message": "not authorised"}, status=401)
        if self.limits_left and seen.path == self.listing:
            self.limits_left -= 1
            return self.limit()
        return self.answer(seen)

    def page(self, records: Sequence[Json], start: int, size: int) -> Sequence[Json]:
        """One page, counted."""
        found = records[start : start + size]
        self.served += len(found)
        return found


def reply(body: Json, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response(body, status=status, headers=headers)


def missing() -> web.Response:
    return reply({"message": "not found"}, status=404)


def basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


@contextlib.asynccontextmanager
async def serving(api: Api) -> AsyncIterator[Api]:
    """The API on a port of its own."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", api.respond)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        api.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield api
    finally:
        await runner.cleanup()
