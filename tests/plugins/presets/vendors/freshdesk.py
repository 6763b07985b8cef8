"""Freshdesk: tickets by ``updated_since``, a Link header, requester and company only when they are asked for."""

from __future__ import annotations

from typing import ClassVar

from aiohttp import web

from tests.plugins.presets.api import Api
from tests.plugins.presets.story import Case
from tests.plugins.presets.wire import SECRET, Json, Seen, basic, moment

NUMBERS = {"Acme Ltd": 11, "Beta GmbH": 12}
STATUSES = {2: (5, "Closed"), 4: (7, 7)}
OPEN = (2, "Open")


class Freshdesk(Api):
    preset = "freshdesk"
    listing = "/api/v2/tickets"
    small: ClassVar = {"params": {"per_page": 2}}
    options: ClassVar = {"key": SECRET}
    credential = ("Authorization", basic(SECRET, "X"))
    clock = "updated_at"
    edited: ClassVar = {"status": 4}
    prefix = "freshdesk-"
    kind = ("Support Ticket", "Freshdesk")
    edited_details: ClassVar = {"status": "Resolved"}

    def record(self, case: Case) -> Json:
        company = {"id": NUMBERS[case.account], "name": case.account} if case.account else None
        person = {"id": 101, "name": "Ann", "email": case.contact or None, "mobile": None, "phone": "555"}
        return {
            "id": case.number, "subject": case.title, "status": STATUSES.get(case.number, OPEN)[0], "priority": 1,
            "source": 1, "type": "Question", "spam": False, "tags": [], "company_id": company and company["id"],
            "company": company, "requester_id": person["id"], "requester": person,
            "created_at": f"{case.begun}Z", "updated_at": f"{case.changed}Z",
        }  # fmt: skip

    def details(self, case: Case) -> Json:
        return {
            "subject": case.title, "status": STATUSES.get(case.number, OPEN)[1], "priority": "Low", "kind": "Question",
            "url": f"URL/a/tickets/{case.number}",
        }  # fmt: skip

    def limit(self) -> web.Response:
        headers = {"Retry-After": "7", "X-RateLimit-Total": "50", "X-RateLimit-Remaining": "0"}
        return web.Response(status=429, headers=headers)

    def answer(self, seen: Seen) -> web.Response:
        query = seen.query
        assert (query["order_by"], query["order_type"]) == ("updated_at", "asc")
        hidden = {"requester", "company"} - set(query["include"].split(","))
        found = [
            {key: each[key] for key in each if key not in hidden} for each in self.since(moment(query["updated_since"]))
        ]
        return self.numbered_page(seen, found)
