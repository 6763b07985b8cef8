"""Gong: calls of a span with their parties and what the CRM knows; an empty span is a 404; a call appears late."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from aiohttp import web

from tests.plugins.presets.api import Api
from tests.plugins.presets.story import ACME, ANN, BETA, Case
from tests.plugins.presets.wire import PAGE, SECRET, Json, Seen, basic, moment, reply

LATE = Case(5, "2026-03-04T07:00:00", "", ACME, ANN)
"""It began before the last poll and was processed after it."""


class Gong(Api):
    preset = "gong"
    listing = "/v2/calls/extensive"
    options: ClassVar = {"key": "access-key", "secret": SECRET}
    credential = ("Authorization", basic("access-key", SECRET))
    story = (
        Case(1, "2026-02-20T07:00:00", "", ACME, ANN),
        Case(2, "2026-02-21T08:00:00", "", BETA),
        Case(3, "2026-02-21T09:00:00", "", "", ANN),
        Case(4, "2026-02-21T10:00:00", ""),
    )
    news = Case(6, "2026-03-04T08:30:00", "", BETA)
    prefix = "gong-"
    kind = ("Call", "Gong")

    def record(self, case: Case) -> Json:
        fields = [{"name": "Id", "value": "001"}, {"name": "Name", "value": case.account}]
        objects = [
            {"objectType": "Opportunity", "objectId": "006", "fields": [{"name": "Name", "value": "A deal"}]},
            *([{"objectType": "Account", "objectId": "001", "fields": fields}] if case.account else []),
        ]
        outside = {"affiliation": "External", "name": "Ann", "speakerId": "2"}
        if case.contact:
            outside["emailAddress"] = case.contact
        started = f"{case.begun}Z" if case.number > 1 else "2026-02-20T08:00:00+01:00"
        return {
            "metaData": {
                "id": str(case.number), "url": f"https://app.gong.example/call?id={case.number}", "title": case.title,
                "scheduled": started, "started": started, "duration": 600, "direction": "Conference", "system": "Zoom",
                "scope": "Internal" if case.number == 4 else "External", "media": "Video", "language": "eng",
            },
            "context": [{"system": "Salesforce", "objects": objects}],
            "parties": [{"affiliation": "Internal", "emailAddress": "me@us.example", "name": "Me"}, outside],
        }  # fmt: skip

    def details(self, case: Case) -> Json:
        return {
            "subject": case.title, "direction": "Conference", "system": "Zoom", "seconds": 600,
            "url": f"https://app.gong.example/call?id={case.number}",
        }  # fmt: skip

    @property
    def then(self) -> Sequence[Json]:
        return [self.activity(LATE), self.activity(self.news)]

    def edit(self) -> None:
        self.records += [self.record(LATE), self.record(self.news)]

    def answer(self, seen: Seen) -> web.Response:
        body: Json = seen.body
        assert body["contentSelector"] == {"context": "Extended", "exposedFields": {"parties": True}}
        start, end = moment(body["filter"]["fromDateTime"]), moment(body["filter"]["toDateTime"])
        found = [each for each in self.records if start <= moment(each["metaData"]["started"]) < end]
        if not found:
            words = {"requestId": "r1", "errors": ["No calls found corresponding to the provided filters"]}
            return reply(words, status=404)
        place = int(body.get("cursor", "c0").removeprefix("c"))
        page, following = self.page(found, place, PAGE)
        more = {"cursor": f"c{following}"} if following else {}
        records = {"totalRecords": len(found), "currentPageSize": len(page), "currentPageNumber": place // PAGE, **more}
        return reply({"requestId": "r1", "records": records, "calls": page})
