"""Freshdesk: tickets by ``updated_since``, a Link header, requester and company only when they are asked for."""

from __future__ import annotations

from typing import Any, ClassVar

from aiohttp import web

from tests.plugins.presets.api import SECRET, Api, Seen, basic, moment, reply

ACME, BETA = {"id": 11, "name": "Acme Ltd"}, {"id": 12, "name": "Beta GmbH"}
ANN = {"id": 101, "name": "Ann", "email": "ann@acme.example", "mobile": None, "phone": "555"}
BOB = {"id": 102, "name": "Bob", "email": None, "mobile": "556", "phone": None}


def ticket(number: int, created: str, updated: str, company: Any, requester: Any, **more: Any) -> dict[str, Any]:
    return {
        "id": number, "subject": f"Question {number}", "status": 2, "priority": 1, "source": 1, "type": "Question",
        "spam": False, "company_id": company and company["id"], "requester_id": requester["id"], "tags": [],
        "created_at": created, "updated_at": updated, "company": company, "requester": requester, **more,
    }  # fmt: skip


def activity(number: int, account: str, happened_at: str, status: Any, **more: Any) -> dict[str, Any]:
    return {
        "reference": f"freshdesk-{number}", "account": account, "type": "Support Ticket", "source": "Freshdesk",
        "happened_at": happened_at,
        "additional_information_object": {
            "subject": f"Question {number}", "status": status, "priority": "Low", "kind": "Question",
            "url": f"URL/a/tickets/{number}",
        },
        **more,
    }  # fmt: skip


class Freshdesk(Api):
    preset = "freshdesk"
    listing = "/api/v2/tickets"
    small: ClassVar = {"params": {"per_page": 2}}
    wrong: ClassVar = {"key": "wrong"}
    first: ClassVar = [
        activity(1, "Acme Ltd", "2026-02-20 08:00:00", "Open", contact="ann@acme.example"),
        activity(2, "Beta GmbH", "2026-02-21 08:00:00", "Closed"),
        activity(4, "Acme Ltd", "2026-02-23 08:00:00", 7, contact="ann@acme.example"),
    ]
    rejected: ClassVar = {"3": "account"}
    then: ClassVar = [
        activity(1, "Acme Ltd", "2026-02-20 08:00:00", "Resolved", contact="ann@acme.example"),
        activity(5, "Beta GmbH", "2026-03-04 08:30:00", "Open", contact="ann@acme.example"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.tickets = [
            ticket(1, "2026-02-20T08:00:00Z", "2026-02-20T09:00:00Z", ACME, ANN),
            ticket(2, "2026-02-21T08:00:00Z", "2026-02-22T09:00:00Z", BETA, BOB, status=5),
            ticket(3, "2026-02-22T08:00:00Z", "2026-02-23T09:00:00Z", None, ANN),
            ticket(4, "2026-02-23T08:00:00Z", "2026-02-24T09:00:00Z", ACME, ANN, status=7),
        ]

    def edit(self) -> None:
        self.tickets[0] |= {"status": 4, "updated_at": "2026-03-04T09:00:00Z"}
        self.tickets.append(ticket(5, "2026-03-04T08:30:00Z", "2026-03-04T09:00:00Z", BETA, ANN))

    def given(self) -> dict[str, Any]:
        return {"url": self.url, "key": SECRET}

    def allowed(self, seen: Seen) -> bool:
        return seen.headers["Authorization"] == basic(SECRET, "X")

    def limit(self) -> web.Response:
        headers = {"Retry-After": "7", "X-RateLimit-Total": "50", "X-RateLimit-Remaining": "0"}
        return web.Response(status=429, headers=headers)

    def answer(self, seen: Seen) -> web.Response:
        query = seen.query
        size, number = int(query["per_page"]), int(query.get("page", "1"))
        since = moment(query["updated_since"])
        found = sorted((each for each in self.tickets if moment(each["updated_at"]) >= since), key=self._order(query))
        links = {}
        if len(found) > number * size:
            rest = "&".join(f"{key}={value}" for key, value in query.items() if key != "page")
            links = {"Link": f'<{self.url}{seen.path}?{rest}&page={number + 1}>; rel="next"'}
        hidden = {"requester", "company"} - set(query["include"].split(","))
        shown = [{key: each[key] for key in each if key not in hidden} for each in found]
        return reply(self.page(shown, (number - 1) * size, size), headers=links)

    def _order(self, query: Any) -> Any:
        assert (query["order_by"], query["order_type"]) == ("updated_at", "asc")
        return lambda each: each["updated_at"]
