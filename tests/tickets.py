"""A help desk with an HTTP API, and a plugin of an operator's own that reads it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEY = "the-key-of-the-desk"
PAGE = 2

PLUGIN = '''
from contextlib import asynccontextmanager

from cgsync.api import Batch, Record, SourceType, Window, hook
from cgsync.http import bearer


class Desk:
    def __init__(self, http, options, context):
        self.http, self.options, self.context = http, options, context

    async def fetch(self, cursor):
        page = cursor.get("page", 1)
        since = self.context.window.start.isoformat() if self.context.window else ""
        params = {"page": page, "now": self.context.clock.now().isoformat(), "since": since}
        answer = await self.http.get(f"{self.options['url']}/tickets", params=params)
        tickets = answer.check().json()
        if not tickets:
            return None
        records = [Record(key=str(each["id"]), data=each, position=f"ticket {each['id']}") for each in tickets]
        return Batch(records=records, cursor={"page": page + 1})


@asynccontextmanager
async def open_desk(options, context):
    limit = {"budget": options["rate_limit"]["budget"]} if "rate_limit" in options else {}
    async with context.http(origin=options["url"], auth=bearer(options["key"]), **limit) as http:
        yield Desk(http, options, context)


SCHEMA = {
    "type": "object",
    "required": ["url", "key"],
    "additionalProperties": False,
    "properties": {
        "url": {"type": "string"},
        "key": {"type": "string", "x-secret": True},
        "rate_limit": {"type": "object", "properties": {"budget": {"type": "string"}}},
    },
}
PRESET = """
title: Tickets of a desk
with:
  type: object
  required: [url, key]
  additionalProperties: false
  properties:
    url: { type: string, description: "where it is, as https://desk.example" }
    key: { type: string, x-secret: true, description: your API key }
    team: { type: string, default: All, description: whose tickets }
source:
  every: 5m
  desk: { url: "${with.url}", key: "${with.key}" }
  as: ticket
  when: "{{ ticket.spam is not true }}"
  activity:
    reference: "desk-{{ ticket.id }}"
    account: "{{ ticket.company }}"
    type: Support Ticket
    source: Desk
    happened_at: "{{ ticket.at }}"
    additional_information_object: { subject: "{{ ticket.subject }}", team: "${with.team}" }
"""


@hook
def cgsync_source_types():
    return [
        SourceType(
            name="desk",
            options_schema=SCHEMA,
            sample="url: https://desk.example\\nkey: ${credential:desk}\\n",
            open=open_desk,
            presets={"desk-tickets": PRESET},
            windows=True,
        )
    ]
'''


def ticket(number: int, **changes: Any) -> dict[str, Any]:
    made = {"id": number, "company": "Acme", "at": f"2026-03-0{number}T10:00:00Z", "subject": f"Ticket {number}"}
    return made | changes


@dataclass(slots=True)
class Desk:
    """``asked`` are the requests so far; ``status`` other than 200 is what it answers to all."""

    url: str = ""
    tickets: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    status: int = 200

    def answer(self, path: str, authorization: str | None) -> tuple[int, Any]:
        self.asked.append(path)
        if authorization != f"Bearer {KEY}":
            return 401, {"error": "who are you?"}
        if self.status != 200:
            return self.status, {"error": "not today"}
        page = int(parse_qs(urlsplit(path).query)["page"][0])
        return 200, self.tickets[(page - 1) * PAGE : page * PAGE]


@contextmanager
def desk_api(*tickets: dict[str, Any]) -> Iterator[Desk]:
    """It runs in a thread of its own, since commands block theirs."""
    desk = Desk(tickets=list(tickets))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, content = desk.answer(self.path, self.headers["authorization"])
            body = json.dumps(content).encode()
            self.send_response(status)
            for name, value in (("Content-Type", "application/json"), ("X-RateLimit-Remaining", "41")):
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    desk.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield desk
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def write(folder: Path, desk: Desk, *, source: str = "", top: str = "") -> Path:
    """A configuration with one source ``support`` that reads it by its preset; ``source`` stands below that."""
    plugins = folder / "plugins"
    plugins.mkdir(mode=0o700, exist_ok=True)
    (plugins / "desk.py").write_text(PLUGIN)
    file = folder / "cgsync.yaml"
    file.write_text(
        "customergauge:\n  url: http://127.0.0.1:9/activities\n  token_url: http://127.0.0.1:9/token\n"
        "  client_id: me\n  client_secret: a-secret-value\nstate_dir: state\nplugin_dir: plugins\n"
        f"{top}sources:\n  support:\n    preset: desk-tickets\n"
        f"    with: {{ url: '{desk.url}', key: {KEY} }}\n{source}",
        encoding="utf-8",
    )
    file.chmod(0o600)
    return file
