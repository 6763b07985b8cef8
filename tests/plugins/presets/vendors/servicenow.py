"""ServiceNow: times in UTC inside a query, each field as value and display value, rows that access rules hide."""

from __future__ import annotations

import re
from datetime import datetime
from typing import ClassVar

from aiohttp import web

from tests.plugins.presets.api import Api
from tests.plugins.presets.story import Case
from tests.plugins.presets.wire import SECRET, Json, Seen, basic, moment, reply

HIDDEN = (
    Case(8, "2026-02-21T08:00:00", "2026-02-22T10:00:00", "Secret Ltd"),
    Case(9, "2026-02-21T08:00:00", "2026-02-22T11:00:00", "Secret Ltd"),
)


class ServiceNow(Api):
    preset = "servicenow"
    listing = "/api/now/table/sn_customerservice_case"
    small: ClassVar = {"params": {"sysparm_limit": 2}}
    options: ClassVar = {"username": "cgsync", "password": SECRET}
    credential = ("Authorization", basic("cgsync", SECRET))
    clock = "sys_updated_on"
    edited: ClassVar = {"state": ("3", "Closed")}
    prefix = "servicenow-id"
    kind = ("Case", "ServiceNow")
    rejected: ClassVar = {"id3": "account"}

    def __init__(self) -> None:
        super().__init__()
        self.records += [self.record(case) for case in HIDDEN]

    def record(self, case: Case) -> Json:
        """A pair is a value and what is displayed of it."""
        return {
            "sys_id": f"id{case.number}", "number": f"CS000{case.number}", "short_description": case.title,
            "state": ("1", "New"), "priority": ("4", "4 - Low"), "category": ("0", "Issue"),
            "account": (f"a-{case.account}" if case.account else "", case.account), "contact.email": case.contact,
            "opened_at": (case.begun.replace("T", " "), "shown in the zone of the user"),
            "sys_updated_on": (case.changed.replace("T", " "), "shown in that zone"),
        }  # fmt: skip

    def details(self, case: Case) -> Json:
        return {
            "subject": case.title, "number": f"CS000{case.number}", "status": "New", "priority": "4 - Low",
            "kind": "Issue", "url": f"URL/sn_customerservice_case.do?sys_id=id{case.number}",
        }  # fmt: skip

    def changed(self, record: Json) -> datetime:
        return moment(record[self.clock][0])

    def limit(self) -> web.Response:
        headers = {"X-RateLimit-Limit": "100", "X-RateLimit-Reset": self.reset}
        return self.too_many({"error": {"message": "Rate limit exceeded"}, "status": "failure"}, **headers)

    def answer(self, seen: Seen) -> web.Response:
        query = seen.query
        assert (query["sysparm_display_value"], query["sysparm_exclude_reference_link"]) == ("all", "true")
        found = self._found(query["sysparm_query"])
        page, following = self.page(found, int(query["sysparm_offset"]), int(query["sysparm_limit"]))
        fields = query["sysparm_fields"].split(",")
        rows = [{name: _shown(each[name]) for name in fields} for each in page if "Secret Ltd" not in each["account"]]
        self.served -= len(page) - len(rows)  # what access rules hide is on no page
        links = {"Link": f'<{self.address(seen, sysparm_offset=following)}>;rel="next"'} if following else {}
        return reply({"result": rows}, headers={"X-Total-Count": str(len(found)), **links})

    def _found(self, query: str) -> list[Json]:
        pattern = r"sys_updated_on>=(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\^ORDERBYsys_updated_on\^ORDERBYsys_id"
        matched = re.fullmatch(pattern, query)
        assert matched, query
        return self.since(moment(matched[1]))


def _shown(field: Json) -> Json:
    value, display = field if isinstance(field, tuple) else (field, field)
    return {"display_value": display, "value": value}
