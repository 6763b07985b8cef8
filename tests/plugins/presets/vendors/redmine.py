"""Redmine: a filter with its operator in the value, offset and limit."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import ClassVar

from aiohttp import web

from tests.plugins.presets.api import Api
from tests.plugins.presets.story import STORY, Case
from tests.plugins.presets.wire import SECRET, Json, Seen, moment, reply

CLOSED = {"id": 5, "name": "Closed"}


class Redmine(Api):
    preset = "redmine"
    listing = "/issues.json"
    small: ClassVar = {"paginate": {"offset": {"limit": 2, "total_path": "$.total_count"}}}
    options: ClassVar = {"key": SECRET}
    credential = ("X-Redmine-API-Key", SECRET)
    story = tuple(replace(case, contact="") for case in STORY)
    clock = "updated_on"
    edited: ClassVar = {"status": CLOSED}
    prefix = "redmine-"
    kind = ("Issue", "Redmine")

    def record(self, case: Case) -> Json:
        return {
            "id": case.number, "project": {"id": 1, "name": case.account} if case.account else {"id": 3},
            "tracker": {"id": 3, "name": "Support"}, "status": CLOSED if case.number == 4 else {"id": 1, "name": "New"},
            "priority": {"id": 4, "name": "Normal"}, "author": {"id": 5, "name": "Ann"}, "subject": case.title,
            "created_on": f"{case.begun}Z", "updated_on": f"{case.changed}Z", "custom_fields": [],
        }  # fmt: skip

    def details(self, case: Case) -> Json:
        return {
            "subject": case.title, "status": "Closed" if case.number == 4 else "New", "priority": "Normal",
            "kind": "Support", "opened_by": "Ann", "url": f"URL/issues/{case.number}",
        }  # fmt: skip

    def answer(self, seen: Seen) -> web.Response:
        query = seen.query
        assert (query["status_id"], query["sort"]) == ("*", "updated_on:asc,id:asc")
        asked = re.fullmatch(r">=(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)", query["updated_on"])  # no fraction is understood
        assert asked, query["updated_on"]
        found, start, size = self.since(moment(asked[1])), int(query["offset"]), int(query["limit"])
        issues, _ = self.page(found, start, size)
        return reply({"issues": issues, "total_count": len(found), "offset": start, "limit": size})
