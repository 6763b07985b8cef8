"""Request Tracker: its own query language, numbered pages, only the fields that were asked for."""

from __future__ import annotations

import re
from typing import ClassVar

from aiohttp import web

from tests.plugins.presets.api import Api
from tests.plugins.presets.story import Case
from tests.plugins.presets.wire import SECRET, Json, Seen, moment, reply


class RequestTracker(Api):
    preset = "request-tracker"
    listing = "/REST/2.0/tickets"
    small: ClassVar = {"paginate": {"page": {"size_param": "per_page", "size": 2, "total_path": "$.pages"}}}
    options: ClassVar = {"token": SECRET, "account_field": "Customer"}
    credential = ("Authorization", f"token {SECRET}")
    clock = "LastUpdated"
    edited: ClassVar = {"Status": "resolved"}
    prefix = "rt-"
    kind = ("Support Ticket", "Request Tracker")
    edited_details: ClassVar = {"status": "resolved"}

    def record(self, case: Case) -> Json:
        fields = [
            {"id": "7", "type": "customfield", "name": "Severity", "values": ["low"]},
            {"id": "8", "type": "customfield", "name": "Customer", "values": [case.account] if case.account else []},
        ]
        asking = {"id": case.contact, "type": "user", "_url": "…", "EmailAddress": case.contact}
        return {
            "id": str(case.number), "type": "ticket", "_url": f"https://rt.example/REST/2.0/ticket/{case.number}",
            "Subject": case.title, "Status": _status(case), "Priority": "0",
            "Requestor": [asking] if case.contact else [], "CustomFields": fields,
            "Queue": {"id": "1", "type": "queue", "_url": "…", "Name": "Support"},
            "Created": f"{case.begun}Z", "LastUpdated": f"{case.changed}Z",
        }  # fmt: skip

    def details(self, case: Case) -> Json:
        return {
            "subject": case.title, "status": _status(case), "priority": "0", "queue": "Support",
            "url": f"URL/Ticket/Display.html?id={case.number}",
        }  # fmt: skip

    def answer(self, seen: Seen) -> web.Response:
        query = seen.query
        pattern = r"\(id > 0\) AND LastUpdated >= '(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)'"
        asked = re.fullmatch(pattern, query["query"])
        assert asked, query["query"]
        assert (query.getall("orderby"), query.getall("order")) == (["LastUpdated", "id"], ["ASC", "ASC"])  # type: ignore[attr-defined]
        assert (query["fields[Queue]"], query["fields[Requestor]"]) == ("Name", "EmailAddress")
        found, number, size = self.since(moment(f"{asked[1]}+00:00")), int(query["page"]), int(query["per_page"])
        page, _ = self.page(found, (number - 1) * size, size)
        wanted = ["id", "type", "_url", *query["fields"].split(",")]
        counts = {"count": len(page), "page": number, "pages": -(-len(found) // size), "total": len(found)}
        return reply({**counts, "per_page": size, "items": [{name: each[name] for name in wanted} for each in page]})


def _status(case: Case) -> str:
    return "resolved" if case.number == 4 else "open"
