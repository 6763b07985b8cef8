"""An API that costs next to nothing: a hundred pages of a hundred tickets, serialised once.

Run as a program it prints its port and serves until its standard input ends.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import msgspec
from aiohttp import web

PAGES, SIZE = 100, 100


def ticket(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "subject": f"Ticket {number}",
        "description": "It does not work. " * 10,
        "status": {"id": number % 5, "name": "open"},
        "requester": {"name": f"Person {number % 50}", "email": f"c{number % 50}@example.com"},
        "company": f"Company {number % 7}",
        "tags": ["billing", "urgent"],
        "created_at": "2026-03-04T10:00:00Z",
        "updated_at": f"2026-03-{number // 1440 + 4:02d}T{number // 60 % 24:02d}:{number % 60:02d}:00Z",
    }


def page(number: int) -> bytes:
    """The first is number 1."""
    tickets = [ticket(each) for each in range((number - 1) * SIZE, number * SIZE)]
    return msgspec.json.encode({"tickets": tickets, "pages": PAGES})


async def serve() -> None:
    pages = {str(number): page(number) for number in range(1, PAGES + 1)}

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=pages[request.query.get("page", "1")], content_type="application/json")

    app = web.Application()
    app.router.add_get("/tickets", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve())
