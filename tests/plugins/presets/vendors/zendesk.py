"""Zendesk: the incremental export, begun by time and followed by cursor; users and organizations, several at once."""

from __future__ import annotations

from typing import ClassVar

from aiohttp import web

from tests.plugins.presets.api import Api
from tests.plugins.presets.story import ACME, ANN, BETA, Case
from tests.plugins.presets.wire import SECRET, Json, Seen, basic, moment, reply

FOUND = {
    "users": {
        101: {"id": 101, "name": "Ann", "email": ANN, "role": "end-user"},
        102: {"id": 102, "name": "Bob", "email": None, "role": "end-user"},
    },
    "organizations": {11: {"id": 11, "name": ACME}, 12: {"id": 12, "name": BETA}},
}


class Zendesk(Api):
    preset = "zendesk"
    listing = "/api/v2/incremental/tickets/cursor.json"
    small: ClassVar = {"params": {"per_page": 2}}
    options: ClassVar = {"email": "admin@acme.example", "token": SECRET}
    credential = ("Authorization", basic("admin@acme.example/token", SECRET))
    edited: ClassVar = {"status": "solved"}
    prefix = "zendesk-"
    kind = ("Support Ticket", "Zendesk")
    edited_details: ClassVar = {"status": "solved"}

    def record(self, case: Case) -> Json:
        changed = f"{case.changed}Z"
        return {
            "id": case.number, "subject": case.title, "status": "closed" if case.number == 2 else "open",
            "priority": None, "type": "question", "via": {"channel": "email", "source": {}},
            "organization_id": {ACME: 11, BETA: 12, "": None}[case.account],
            "requester_id": 101 if case.contact else 102, "created_at": f"{case.begun}Z", "updated_at": changed,
            "generated_timestamp": int(moment(changed).timestamp()),
        }  # fmt: skip

    def details(self, case: Case) -> Json:
        return {
            "subject": case.title, "status": "closed" if case.number == 2 else "open", "kind": "question",
            "channel": "email", "url": f"URL/agent/tickets/{case.number}",
        }  # fmt: skip

    def limit(self) -> web.Response:
        headers = {"Retry-After": "7", "X-Rate-Limit": "10", "X-Rate-Limit-Remaining": "0"}
        return web.Response(status=429, text="Number of allowed API requests per minute exceeded", headers=headers)

    def answer(self, seen: Seen) -> web.Response:
        if seen.path == self.listing:
            return self._export(seen)
        kind, wanted = seen.path.split("/")[3], set(map(int, seen.query["ids"].split(",")))
        assert seen.path == f"/api/v2/{kind}/show_many.json"
        some = [each for number, each in FOUND[kind].items() if number in wanted]
        return reply({kind: some, "next_page": None, "previous_page": None, "count": len(some)})

    def _export(self, seen: Seen) -> web.Response:
        """A cursor stands for a place behind a ticket; ``start_time`` and ``cursor`` exclude each other."""
        assert ("cursor" in seen.query) != ("start_time" in seen.query)
        after = tuple(map(int, seen.query["cursor"].split("-"))) if "cursor" in seen.query else None
        place = after or (int(seen.query["start_time"]), 0)
        behind = sorted((each for each in self.records if _place(each) > place), key=_place)
        found, following = self.page(behind, 0, int(seen.query["per_page"]))
        last = "-".join(map(str, _place(found[-1]) if found else place))
        return reply(
            {
                "tickets": found,
                "after_url": f"{self.url}{seen.path}?cursor={last}",
                "before_url": None,
                "after_cursor": last,
                "before_cursor": None,
                "end_of_stream": not following,
            }
        )


def _place(ticket: Json) -> tuple[int, int]:
    return ticket["generated_timestamp"], ticket["id"]
