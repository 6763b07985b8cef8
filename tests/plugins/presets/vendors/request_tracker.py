"""Request Tracker: its own query language, numbered pages, only the fields that were asked for."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from tests.plugins.presets.api import SECRET, Api, Seen, moment, reply


def ticket(number: int, created: str, updated: str, customer: str, email: str, status: str = "open") -> dict[str, Any]:
    fields = [
        {"id": "7", "type": "customfield", "name": "Severity", "values": ["low"]},
        {"id": "8", "type": "customfield", "name": "Customer", "values": [customer] if customer else []},
    ]
    asking = [{"id": email, "type": "user", "_url": "…", "EmailAddress": email}] if email else []
    return {
        "id": str(number), "type": "ticket", "_url": f"https://rt.example/REST/2.0/ticket/{number}",
        "Subject": f"Question {number}", "Status": status, "Priority": "0", "Requestor": asking,
        "Queue": {"id": "1", "type": "queue", "_url": "…", "Name": "Support"}, "CustomFields": fields,
        "Created": created, "LastUpdated": updated,
    }  # fmt: skip


def activity(number: int, account: str, happened_at: str, status: str, **more: Any) -> dict[str, Any]:
    return {
        "reference": f"rt-{number}", "account": account, "type": "Support Ticket", "source": "Request Tracker",
        "happened_at": happened_at,
        "additional_information_object": {
            "subject": f"Question {number}", "status": status, "priority": "0", "queue": "Support",
            "url": f"URL/Ticket/Display.html?id={number}",
        },
        **more,
    }  # fmt: skip


class RequestTracker(Api):
    preset = "request-tracker"
    listing = "/REST/2.0/tickets"
    small: ClassVar = {"paginate": {"page": {"size_param": "per_page", "size": 2, "total_path": "$.pages"}}}
    wrong: ClassVar = {"token": "wrong"}
    first: ClassVar = [
        activity(1, "Acme Ltd", "2026-02-20 08:00:00", "open", contact="ann@acme.example"),
        activity(2, "Beta GmbH", "2026-02-21 08:00:00", "open"),
        activity(4, "Acme Ltd", "2026-02-23 08:00:00", "resolved", contact="ann@acme.example"),
    ]
    rejected: ClassVar = {"3": "account"}
    then: ClassVar = [
        activity(1, "Acme Ltd", "2026-02-20 08:00:00", "resolved", contact="ann@acme.example"),
        activity(5, "Beta GmbH", "2026-03-04 08:30:00", "open"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.tickets = [
            ticket(1, "2026-02-20T08:00:00Z", "2026-02-20T09:00:00Z", "Acme Ltd", "ann@acme.example"),
            ticket(2, "2026-02-21T08:00:00Z", "2026-02-22T09:00:00Z", "Beta GmbH", ""),
            ticket(3, "2026-02-22T08:00:00Z", "2026-02-23T09:00:00Z", "", "ann@acme.example"),
            ticket(4, "2026-02-23T08:00:00Z", "2026-02-24T09:00:00Z", "Acme Ltd", "ann@acme.example", "resolved"),
        ]

    def edit(self) -> None:
        self.tickets[0] |= {"Status": "resolved", "LastUpdated": "2026-03-04T09:00:00Z"}
        self.tickets.append(ticket(5, "2026-03-04T08:30:00Z", "2026-03-04T09:00:00Z", "Beta GmbH", ""))

    def given(self) -> dict[str, Any]:
        return {"url": self.url, "token": SECRET, "account_field": "Customer"}

    def allowed(self, seen: Seen) -> bool:
        return seen.headers.get("Authorization") == f"token {SECRET}"

    def answer(self, seen: Seen) -> Any:
        query = seen.query
        pattern = r"\(id > 0\) AND LastUpdated >= '(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)'"
        asked = re.fullmatch(pattern, query["query"])
        assert asked, query["query"]
        assert (query.getall("orderby"), query.getall("order")) == (["LastUpdated", "id"], ["ASC", "ASC"])  # type: ignore[attr-defined]
        assert (query["fields[Queue]"], query["fields[Requestor]"]) == ("Name", "EmailAddress")
        found = [each for each in self.tickets if moment(each["LastUpdated"]) >= moment(f"{asked[1]}+00:00")]
        found.sort(key=lambda each: (each["LastUpdated"], int(each["id"])))
        number, size = int(query["page"]), int(query["per_page"])
        wanted = ["id", "type", "_url", *query["fields"].split(",")]
        shown = [{name: each[name] for name in wanted} for each in self.page(found, (number - 1) * size, size)]
        counts = {"count": len(shown), "page": number, "pages": -(-len(found) // size), "total": len(found)}
        return reply({**counts, "per_page": size, "items": shown})
