"""A ticket API of all kinds: any way of paging, of sorting, of logging in, and any fault, each fault once."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from cgsync.testing import FakeClock

START = datetime(2024, 5, 1, tzinfo=UTC)
USER, PASSWORD, TOKEN = "someone", "canary-password", "canary-token"


@dataclass(slots=True, kw_only=True)
class Fault:
    """``what`` goes wrong at the ``page``-th request for tickets from now on."""

    what: str
    page: int


@dataclass(slots=True, kw_only=True)
class Desk:
    """``paging``: none, page, offset, cursor, next_url, link_header, keyset. ``order``: asc, desc, none."""

    clock: FakeClock
    paging: str = "page"
    order: str = "none"
    size: int = 5
    auth: str = "none"
    kind: str = "datetime"
    tickets: dict[int, dict[str, Any]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    requests: list[web.Request] = field(default_factory=list)
    asked: int = 0
    sequence: int = 0
    generation: int = 0
    tokens: int = 0
    url: str = ""
    takes: timedelta = timedelta(0)
    """how long an answer takes"""
    elsewhere: str = "http://127.0.0.1:9"
    previous: list[dict[str, Any]] = field(default_factory=list)
    meanwhile: list[tuple[int, Callable[[], None]]] = field(default_factory=list)
    """what happens right after so many requests"""

    # what happens at the desk

    def put(self, number: int, **fields: Any) -> dict[str, Any]:
        """Insert or change a ticket, now."""
        self.sequence += 1
        old = self.tickets.get(number, {"id": number, "subject": f"ticket {number}"})
        stamps = {"updated_at": self.clock.now().isoformat(), "sequence": self.sequence}
        self.tickets[number] = {**old, **stamps, **fields}
        return self.tickets[number]

    def fill(self, count: int, *, step: timedelta = timedelta(minutes=1)) -> None:
        """So many tickets, one a step, numbered as no order has it."""
        for place in range(count):
            self.put(number_at(place, count))
            self.clock.advance(step)

    # what it answers

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        self.clock.advance(self.takes)
        if refused := self._refused(request):
            return refused
        self.asked += 1
        for due in [each for each in self.meanwhile if each[0] < self.asked]:
            self.meanwhile.remove(due)
            due[1]()
        for fault in self.faults:
            if fault.page <= self.asked:
                self.faults.remove(fault)
                return await getattr(self, f"_{fault.what}")(request)
        return self._answer(request)

    def _answer(self, request: web.Request, **more: Any) -> web.Response:
        rows = self._rows(request.query)
        page, body, headers = self._page(request, rows)
        self.previous = page
        body = {"tickets": page, "total": len(rows), **body, **more}
        return self.response(json.dumps(body), headers=headers)

    def response(self, text: str, *, status: int = 200, **more: Any) -> web.Response:
        headers = {"Date": format_datetime(self.clock.now(), usegmt=True), **(more.pop("headers", None) or {})}
        kind = more.pop("content_type", "application/json")
        return web.Response(text=text, status=status, headers=headers, content_type=kind, **more)

    def _rows(self, query: Mapping[str, str]) -> list[dict[str, Any]]:
        rows = [row for row in self.tickets.values() if self._is_asked_for(row, query)]
        if self.paging == "keyset":
            return sorted(rows, key=lambda row: row["id"])
        return sorted(rows, key=self._place)

    def _place(self, row: Mapping[str, Any]) -> list[float]:
        """Where it stands in the list; without an order, anywhere, but always there."""
        if self.order == "none":
            return [(row["id"] * 7919) % 1009, row["id"]]
        sign = -1 if self.order == "desc" else 1
        stamp = row["sequence"] if self.kind != "datetime" else moment(row["updated_at"]).timestamp()
        return [sign * stamp, sign * row["id"]]

    def _is_asked_for(self, row: Mapping[str, Any], query: Mapping[str, str]) -> bool:
        if self.kind == "datetime":
            at = moment(row["updated_at"])
            return ("since" not in query or at >= moment(query["since"])) and (
                "until" not in query or at < moment(query["until"])
            )
        since = query.get("since", "-1").removeprefix("seq-")
        return bool(row["sequence"] >= int(since) if self.kind == "integer" else row["sequence"] > int(since))

    def _page(
        self, request: web.Request, rows: list[dict[str, Any]]
    ) -> tuple[list[dict[str, Any]], dict[str, Any], dict[str, str]]:
        query, size = request.query, self.size
        after = {"after": f"seq-{max(each['sequence'] for each in rows)}"} if rows else {}
        if self.paging == "none":
            return rows, after, {}
        if self.paging == "keyset":
            return [row for row in rows if row["id"] > int(query.get("after_id", -1))][:size], after, {}
        start = self._start(query, rows)
        page, more = rows[start : start + size], start + size < len(rows)
        if self.paging in ("page", "offset") or not more:
            return page, {**after, "more": more}, {}
        token = self.token(self._place(page[-1]))
        link = str(request.url.with_query({**query, "cursor": token}))
        headers = {"Link": f'<{link}>; rel="next", <{self.url}>; rel="first"'} if self.paging == "link_header" else {}
        return page, {**after, "more": True, "token": token, "next": link}, headers

    def _start(self, query: Mapping[str, str], rows: list[dict[str, Any]]) -> int:
        if self.paging == "page":
            return (int(query.get("page", 1)) - 1) * self.size
        if self.paging == "offset":
            return int(query.get("offset", 0))
        if "cursor" not in query:
            return 0
        _, place = json.loads(base64.urlsafe_b64decode(query["cursor"]))
        return sum(self._place(row) <= place for row in rows)

    def token(self, place: list[float]) -> str:
        """What the next page is asked for with: the place behind which it starts, however the list changes."""
        return base64.urlsafe_b64encode(json.dumps([self.generation, place]).encode()).decode()

    def _is_expired(self, query: Mapping[str, str]) -> bool:
        return "cursor" in query and json.loads(base64.urlsafe_b64decode(query["cursor"]))[0] != self.generation

    # who may ask

    def _refused(self, request: web.Request) -> web.StreamResponse | None:
        if request.path in ("/token", "/login"):
            self.tokens += 1
            return web.json_response({"access_token": f"{TOKEN}-{self.tokens}", "expires_in": 3600})
        if self._is_expired(request.query):
            return self.response('{"error": "cursor expired"}', status=410)
        return None if self._may(request) else self.response('{"error": "who are you"}', status=401)

    def _may(self, request: web.Request) -> bool:
        authorization = request.headers.get("Authorization", "")
        basic = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        return {
            "none": lambda: True,
            "basic": lambda: authorization == f"Basic {basic}",
            "bearer": lambda: authorization == f"Bearer {TOKEN}",
            "header": lambda: request.headers.get("X-Key") == TOKEN,
            "query": lambda: request.query.get("key") == TOKEN,
            "oauth2": lambda: authorization == f"Bearer {TOKEN}-{self.tokens}",
            "session": lambda: request.headers.get("X-Session") == f"{TOKEN}-{self.tokens}",
        }[self.auth]()

    # what goes wrong

    async def _error_500(self, request: web.Request) -> web.Response:
        self.faults[:0] = [Fault(what="still_500", page=0)] * 4
        return self.response('{"error": "oops"}', status=500)

    async def _still_500(self, request: web.Request) -> web.Response:
        return self.response('{"error": "oops"}', status=500)

    async def _one_500(self, request: web.Request) -> web.Response:
        return self.response('{"error": "oops"}', status=500)

    async def _expired(self, request: web.Request) -> web.Response:
        self.generation += 1
        return self.response('{"error": "cursor expired"}', status=410)

    async def _throttled(self, request: web.Request) -> web.Response:
        return self.response('{"error": "slow down"}', status=429, headers={"Retry-After": "2"})

    async def _long_throttled(self, request: web.Request) -> web.Response:
        return self.response('{"error": "slow down"}', status=429, headers={"Retry-After": "120"})

    async def _html(self, request: web.Request) -> web.Response:
        return self.response("<html><title>Log in</title></html>", content_type="text/html")

    async def _cut_json(self, request: web.Request) -> web.Response:
        whole = self._answer(request)
        assert whole.text
        return self.response(whole.text[: len(whole.text) // 2])

    async def _cut_connection(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "10000", "Content-Type": "application/json"})
        await response.prepare(request)
        await response.write(b'{"tickets": [')
        assert request.transport
        request.transport.abort()
        return response

    async def _repeated(self, request: web.Request) -> web.Response:
        """The page that was just sent, once more, in place of the next one."""
        previous = self.previous
        answer = self._answer(request)
        body = json.loads(answer.text or "")
        headers = {"Link": answer.headers["Link"]} if "Link" in answer.headers else {}
        return self.response(json.dumps({**body, "tickets": previous}), headers=headers)

    async def _led_away(self, request: web.Request) -> web.Response:
        answer = self._answer(request, next=f"{self.elsewhere}/tickets?cursor=x")
        link = {"Link": f'<{self.elsewhere}/tickets?cursor=x>; rel="next"'}
        return self.response(answer.text or "", headers=link if self.paging == "link_header" else {})


def number_at(place: int, count: int) -> int:
    return (place * 37) % count if count % 37 else place


def moment(text: str) -> datetime:
    found = datetime.fromisoformat(text.replace(" ", "+"))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@asynccontextmanager
async def open_desk(build: Callable[[], Desk]) -> AsyncIterator[Desk]:
    desk = build()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", desk.serve)
    async with TestServer(app) as server:
        desk.url = str(server.make_url("/tickets"))
        yield desk
