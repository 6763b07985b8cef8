"""Looking into the sandbox: what the page and tests ask for. All of it is JSON under ``/api/``."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from cgsync.sandbox.faults import BadFault
from cgsync.sandbox.misbehave import respond
from cgsync.sandbox.page import compose
from cgsync.sandbox.reply import Reply
from cgsync.sandbox.store import Activity, Entry
from cgsync.sandbox.timeline import Query, accounts, line, select, whole

if TYPE_CHECKING:
    from cgsync.sandbox.server import Sandbox

CHUNK = 500
"""Rows written to a streamed answer at once."""
HISTORY = 100_000
"""Newest PUTs searched for those of one activity."""


class Inspection:
    """The routes that only a sandbox has."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox, self._store = sandbox, sandbox.store
        self._page = compose()

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add the routes."""
        router.add_get("/", self._show)
        router.add_get("/api/stats", self._stats)
        router.add_get("/api/activities", self._activities)
        router.add_get("/api/activities/{id:[0-9]+}", self._activity)
        router.add_get("/api/timeline", self._timeline)
        router.add_get("/api/accounts", self._accounts)
        router.add_get("/api/log", self._log)
        router.add_get("/api/faults", self._list_faults)
        router.add_post("/api/faults", self._add_faults)
        router.add_delete("/api/faults", self._clear_faults)
        router.add_delete("/api/tokens", self._revoke)

    async def _show(self, _request: web.Request) -> web.Response:
        headers = {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Security-Policy": self._page.policy,
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-cache",
        }
        return web.Response(body=self._page.document, headers=headers)

    async def _stats(self, _request: web.Request) -> web.Response:
        sandbox = self._sandbox
        return _json({**sandbox.stats(), "faults": len(list(sandbox.faults)), **sandbox.addresses()})

    async def _activities(self, request: web.Request) -> web.StreamResponse:
        query = _query(request.query)
        found = (await asyncio.to_thread(select, list(self._store), query)).activities
        return await _stream(request, (whole(activity) for activity in found))

    async def _activity(self, request: web.Request) -> web.Response:
        activity = self._store.by_id(int(request.match_info["id"]))
        if activity is None:
            raise web.HTTPNotFound
        return _json({**whole(activity), "history": self._history(activity)})

    def _history(self, activity: Activity) -> list[dict[str, Any]]:
        if activity.reference is None:
            return []
        newest = islice(self._store.latest(), HISTORY)
        return [_entry(each, body=False) for each in newest if each.reference == activity.reference][:50]

    async def _timeline(self, request: web.Request) -> web.Response:
        found = await asyncio.to_thread(select, list(self._store), _query(request.query))
        start, most = _number(request.query, "offset", 0), _number(request.query, "limit", 50)
        types = [{"name": name, "id": self._store.types[name], "count": n} for name, n in found.types.items()]
        return _json(
            {
                "total": len(found.activities),
                "newest": found.activities[0].happened if found.activities else None,
                "oldest": found.activities[-1].happened if found.activities else None,
                "types": types,
                "bucket": found.bucket,
                "spans": {
                    span: {str(self._store.types[name]): n for name, n in by_type.items()}
                    for span, by_type in found.spans.items()
                },
                "lines": [line(activity) for activity in found.activities[start : start + min(most, CHUNK)]],
            }
        )

    async def _accounts(self, request: web.Request) -> web.Response:
        text, order = request.query.get("q", ""), request.query.get("order", "recent")
        found = await asyncio.to_thread(accounts, list(self._store), text=text, order=order)
        start, most = _number(request.query, "offset", 0), _number(request.query, "limit", 100)
        return _json({"total": len(found), "accounts": found[start : start + min(most, CHUNK)]})

    async def _log(self, request: web.Request) -> web.StreamResponse:
        if "newest" in request.query:
            before = _number(request.query, "before", 0)
            wanted = (each for each in self._store.latest() if not before or each.n < before)
            wanted = (each for each in wanted if "trouble" not in request.query or not each.applied)
            return _json([_entry(each) for each in islice(wanted, _number(request.query, "newest", 50))])
        after, most = _number(request.query, "after", 0), _number(request.query, "limit", 1_000_000)
        entries = list(islice(self._store.log(after), most))
        return await _stream(request, (_entry(each) for each in entries))

    async def _list_faults(self, _request: web.Request) -> web.Response:
        return _json(self._faults())

    async def _add_faults(self, request: web.Request) -> web.Response:
        if request.content_type != "application/json":  # a page of another origin cannot send that unasked
            return respond(Reply.of(415, {"message": "The Content-Type must be application/json."}))
        try:
            told = msgspec.json.decode(await request.read(), type=dict[str, Any] | list[dict[str, Any]])
            for words in told if isinstance(told, list) else [told]:
                self._sandbox.faults.add(**words)
        except (BadFault, msgspec.DecodeError) as error:
            return respond(Reply.of(422, {"message": str(error)}))
        return _json(self._faults())

    async def _clear_faults(self, _request: web.Request) -> web.Response:
        self._sandbox.faults.clear()
        return _json([])

    async def _revoke(self, _request: web.Request) -> web.Response:
        self._sandbox.tokens.revoke()
        return _json({})

    def _faults(self) -> list[dict[str, Any]]:
        return [
            {"number": armed.number, "seen": armed.seen, "hits": armed.hits, **asdict(armed.fault)}
            for armed in self._sandbox.faults
        ]


def _json(value: Any) -> web.Response:
    return respond(Reply.of(200, value, {"Cache-Control": "no-store"}))


async def _stream(request: web.Request, rows: Iterable[Mapping[str, Any]]) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Cache-Control": "no-store"})
    await response.prepare(request)
    encode, rows, comma = msgspec.json.Encoder().encode, iter(rows), b"["
    while chunk := list(islice(rows, CHUNK)):
        await response.write(comma + encode(chunk)[1:-1])
        comma = b",\n"
    await response.write(b"[]" if comma == b"[" else b"]")
    await response.write_eof()
    return response


def _entry(entry: Entry, *, body: bool = True) -> dict[str, Any]:
    shown = {name: getattr(entry, name) for name in Entry.__slots__ if name != "body"}
    return {**shown, "body": entry.body.decode(errors="replace")} if body else shown


def _query(words: Mapping[str, str]) -> Query:
    end = _day(words, "to")
    return Query(
        account=words.get("account", ""),
        types=frozenset(each for each in words.get("type", "").split("\n") if each),
        text=words.get("q", ""),
        start=_day(words, "from"),
        end=end + timedelta(days=1) if end else None,
    )


def _day(words: Mapping[str, str], name: str) -> datetime | None:
    try:
        return datetime.fromisoformat(words[name]).replace(tzinfo=UTC)
    except (KeyError, ValueError):
        return None


def _number(words: Mapping[str, str], name: str, default: int) -> int:
    text = words.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else default
