"""Gong: calls of a span with their parties and what the CRM knows; an empty span is a 404; a call appears late."""

from __future__ import annotations

from typing import Any, ClassVar

from aiohttp import web

from tests.plugins.presets.api import PAGE, SECRET, Api, Json, Seen, basic, moment, reply


def call(number: int, started: str, account: str, email: str, scope: str = "External") -> dict[str, Any]:
    fields = [{"name": "Id", "value": "001"}, {"name": "Name", "value": account}]
    objects = [
        {"objectType": "Opportunity", "objectId": "006", "fields": [{"name": "Name", "value": "A deal"}]},
        *([{"objectType": "Account", "objectId": "001", "fields": fields}] if account else []),
    ]
    outside = {"affiliation": "External", "name": "Ann", "speakerId": "2"} | ({"emailAddress": email} if email else {})
    return {
        "metaData": {
            "id": str(number), "url": f"https://app.gong.example/call?id={number}", "title": f"Call {number}",
            "scheduled": started, "started": started, "duration": 600, "direction": "Conference", "system": "Zoom",
            "scope": scope, "media": "Video", "language": "eng",
        },
        "context": [{"system": "Salesforce", "objects": objects}],
        "parties": [{"affiliation": "Internal", "emailAddress": "me@us.example", "name": "Me"}, outside],
    }  # fmt: skip


def activity(number: int, account: str, happened_at: str, **more: Any) -> dict[str, Any]:
    return {
        "reference": f"gong-{number}", "account": account, "type": "Call", "source": "Gong", "happened_at": happened_at,
        "additional_information_object": {
            "subject": f"Call {number}", "direction": "Conference", "system": "Zoom", "seconds": 600,
            "url": f"https://app.gong.example/call?id={number}",
        },
        **more,
    }  # fmt: skip


class Gong(Api):
    preset = "gong"
    listing = "/v2/calls/extensive"
    wrong: ClassVar = {"secret": "wrong"}
    first: ClassVar = [
        activity(1, "Acme Ltd", "2026-02-20 07:00:00", contact="ann@acme.example"),
        activity(2, "Beta GmbH", "2026-02-21 08:00:00"),
    ]
    rejected: ClassVar = {"3": "account"}
    then: ClassVar = [
        activity(5, "Acme Ltd", "2026-03-04 07:00:00", contact="ann@acme.example"),
        activity(6, "Beta GmbH", "2026-03-04 08:30:00"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.calls = [
            call(1, "2026-02-20T08:00:00+01:00", "Acme Ltd", "ann@acme.example"),
            call(2, "2026-02-21T08:00:00Z", "Beta GmbH", ""),
            call(3, "2026-02-21T09:00:00Z", "", "ann@acme.example"),
            call(4, "2026-02-21T10:00:00Z", "", "", scope="Internal"),
        ]

    def edit(self) -> None:
        """One that began before the last poll was processed after it; the other is new."""
        self.calls.append(call(5, "2026-03-04T07:00:00Z", "Acme Ltd", "ann@acme.example"))
        self.calls.append(call(6, "2026-03-04T08:30:00Z", "Beta GmbH", ""))

    def given(self) -> dict[str, Any]:
        return {"url": self.url, "key": "access-key", "secret": SECRET}

    def allowed(self, seen: Seen) -> bool:
        return seen.headers["Authorization"] == basic("access-key", SECRET)

    def answer(self, seen: Seen) -> web.Response:
        body: Json = seen.body
        assert body["contentSelector"] == {"context": "Extended", "exposedFields": {"parties": True}}
        start, end = moment(body["filter"]["fromDateTime"]), moment(body["filter"]["toDateTime"])
        found = [each for each in self.calls if start <= moment(each["metaData"]["started"]) < end]
        if not found:
            words = {"requestId": "r1", "errors": ["No calls found corresponding to the provided filters"]}
            return reply(words, status=404)
        place = int(body.get("cursor", "c0").removeprefix("c"))
        page = self.page(found, place, PAGE)
        more = {"cursor": f"c{place + PAGE}"} if place + PAGE < len(found) else {}
        records = {"totalRecords": len(found), "currentPageSize": len(page), "currentPageNumber": place // PAGE, **more}
        return reply({"requestId": "r1", "records": records, "calls": page})
