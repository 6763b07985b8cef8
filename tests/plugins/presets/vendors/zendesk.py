"""Zendesk: the incremental export, begun by time and followed by cursor; users and organizations, several at once."""

from __future__ import annotations

from typing import Any, ClassVar

from aiohttp import web

from tests.plugins.presets.api import SECRET, Api, Seen, basic, moment, reply

USERS = [
    {"id": 101, "name": "Ann", "email": "ann@acme.example", "role": "end-user"},
    {"id": 102, "name": "Bob", "email": None, "role": "end-user"},
]
ORGANIZATIONS = [{"id": 11, "name": "Acme Ltd"}, {"id": 12, "name": "Beta GmbH"}]


def ticket(number: int, created: str, updated: str, organization: Any, requester: int, **more: Any) -> dict[str, Any]:
    return {
        "id": number, "subject": f"Question {number}", "status": "open", "priority": None, "type": "question",
        "organization_id": organization, "requester_id": requester, "via": {"channel": "email", "source": {}},
        "created_at": created, "updated_at": updated, "generated_timestamp": int(moment(updated).timestamp()), **more,
    }  # fmt: skip


def activity(number: int, account: str, happened_at: str, status: str, **more: Any) -> dict[str, Any]:
    return {
        "reference": f"zendesk-{number}", "account": account, "type": "Support Ticket", "source": "Zendesk",
        "happened_at": happened_at,
        "additional_information_object": {
            "subject": f"Question {number}", "status": status, "kind": "question", "channel": "email",
            "url": f"URL/agent/tickets/{number}",
        },
        **more,
    }  # fmt: skip


class Zendesk(Api):
    preset = "zendesk"
    listing = "/api/v2/incremental/tickets/cursor.json"
    small: ClassVar = {"params": {"per_page": 2}}
    wrong: ClassVar = {"token": "wrong"}
    first: ClassVar = [
        activity(1, "Acme Ltd", "2026-02-20 08:00:00", "open", contact="ann@acme.example"),
        activity(2, "Beta GmbH", "2026-02-21 08:00:00", "closed"),
        activity(4, "Acme Ltd", "2026-02-23 08:00:00", "open", contact="ann@acme.example"),
    ]
    rejected: ClassVar = {"3": "account"}
    then: ClassVar = [
        activity(1, "Acme Ltd", "2026-02-20 08:00:00", "solved", contact="ann@acme.example"),
        activity(5, "Beta GmbH", "2026-03-04 08:30:00", "open", contact="ann@acme.example"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.tickets = [
            ticket(1, "2026-02-20T08:00:00Z", "2026-02-20T09:00:00Z", 11, 101),
            ticket(2, "2026-02-21T08:00:00Z", "2026-02-22T09:00:00Z", 12, 102, status="closed"),
            ticket(3, "2026-02-22T08:00:00Z", "2026-02-23T09:00:00Z", None, 101),
            ticket(4, "2026-02-23T08:00:00Z", "2026-02-24T09:00:00Z", 11, 101),
        ]

    def edit(self) -> None:
        self.tickets[0] |= self._at_nine(status="solved")
        self.tickets.append(ticket(5, "2026-03-04T08:30:00Z", "2026-03-04T09:00:00Z", 12, 101))

    def _at_nine(self, **more: Any) -> dict[str, Any]:
        nine = "2026-03-04T09:00:00Z"
        return {"updated_at": nine, "generated_timestamp": int(moment(nine).timestamp()), **more}

    def given(self) -> dict[str, Any]:
        return {"url": self.url, "email": "admin@acme.example", "token": SECRET}

    def allowed(self, seen: Seen) -> bool:
        return seen.headers["Authorization"] == basic("admin@acme.example/token", SECRET)

    def limit(self) -> web.Response:
        headers = {"Retry-After": "7", "X-Rate-Limit": "10", "X-Rate-Limit-Remaining": "0"}
        return web.Response(status=429, text="Number of allowed API requests per minute exceeded", headers=headers)

    def answer(self, seen: Seen) -> web.Response:
        if seen.path == self.listing:
            return self._export(seen)
        found = {"users": USERS, "organizations": ORGANIZATIONS}
        kind, wanted = seen.path.split("/")[3], set(map(int, seen.query["ids"].split(",")))
        assert seen.path == f"/api/v2/{kind}/show_many.json"
        some = [each for each in found[kind] if each["id"] in wanted]
        return reply({kind: some, "next_page": None, "previous_page": None, "count": len(some)})

    def _export(self, seen: Seen) -> web.Response:
        """A cursor stands for a place behind a ticket; ``start_time`` and ``cursor`` exclude each other."""
        assert ("cursor" in seen.query) != ("start_time" in seen.query)
        after = tuple(map(int, seen.query["cursor"].split("-"))) if "cursor" in seen.query else None
        place = after or (int(seen.query["start_time"]), 0)
        size = int(seen.query["per_page"])
        behind = sorted(
            (each for each in self.tickets if (each["generated_timestamp"], each["id"]) > place),
            key=lambda each: (each["generated_timestamp"], each["id"]),
        )
        found = self.page(behind, 0, size)
        last = f"{found[-1]['generated_timestamp']}-{found[-1]['id']}" if found else "-".join(map(str, place))
        return reply(
            {
                "tickets": found,
                "after_url": f"{self.url}{seen.path}?cursor={last}",
                "before_url": None,
                "after_cursor": last,
                "before_cursor": None,
                "end_of_stream": len(behind) <= size,
            }
        )
