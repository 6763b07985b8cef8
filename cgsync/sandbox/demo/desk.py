"""A small help desk with an API: tickets in pages, those that changed since a time, and edits."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib import resources
from typing import Any

from aiohttp import web

KEY = "sandbox"
"""What it takes for its API key; everybody may know it."""
PER_PAGE = 20
EDITABLE = ("subject", "status", "priority", "agent", "tags")


class Desk:
    """A running help desk on a free port of this machine; an async context manager. Its tickets live in memory.

    ``GET /api/tickets?updated_since=&page=`` gives ``{"tickets": […], "pages": 3}``, in the order of their last change;
    ``PATCH /api/tickets/{id}`` changes one, as an agent would. Both want ``Authorization: Bearer`` with the key.
    """

    def __init__(self) -> None:
        self._tickets = {ticket["id"]: ticket for ticket in _samples()}
        self._runner: web.AppRunner | None = None
        self.url = ""
        """The address of the list, once it runs."""

    async def __aenter__(self) -> Desk:
        app = web.Application(middlewares=[_key_wanted])
        app.router.add_get("/api/tickets", self._list)
        app.router.add_patch(r"/api/tickets/{id:\d+}", self._edit)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/api/tickets"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _list(self, request: web.Request) -> web.Response:
        try:
            since = datetime.fromisoformat(request.query.get("updated_since", "1970-01-01T00:00:00Z"))
            page = int(request.query.get("page", "1"))
        except ValueError as error:
            return web.json_response({"message": str(error)}, status=400)
        changed = [ticket for ticket in self._tickets.values() if datetime.fromisoformat(ticket["updated_at"]) >= since]
        changed.sort(key=lambda ticket: (datetime.fromisoformat(ticket["updated_at"]), ticket["id"]))
        shown = changed[(page - 1) * PER_PAGE : page * PER_PAGE]
        return web.json_response({"tickets": shown, "pages": -(-len(changed) // PER_PAGE)})

    async def _edit(self, request: web.Request) -> web.Response:
        ticket = self._tickets.get(int(request.match_info["id"]))
        if ticket is None:
            return web.json_response({"message": "There is no such ticket."}, status=404)
        try:
            edits = dict(await request.json())
        except (ValueError, TypeError):
            return web.json_response({"message": 'Send a JSON object like {"status": 4}.'}, status=400)
        ticket |= {name: edits[name] for name in EDITABLE if name in edits}
        ticket["updated_at"] = datetime.now(UTC).isoformat()
        return web.json_response(ticket)


@web.middleware
async def _key_wanted(request: web.Request, handler: Any) -> web.StreamResponse:
    if request.headers.get("Authorization") != f"Bearer {KEY}":
        return web.json_response({"message": "The API key is missing or wrong."}, status=401)
    answer: web.StreamResponse = await handler(request)
    return answer


def _samples() -> list[dict[str, Any]]:
    lines = resources.files(__package__).joinpath("tickets.ndjson").read_text("utf-8").splitlines()
    return [ticket | {"updated_at": ticket["created_at"]} for ticket in map(json.loads, lines)]
