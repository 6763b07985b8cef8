"""ServiceNow: times in UTC inside a query, each field as value and display value, rows that access rules hide."""

from __future__ import annotations

import re
import time
from typing import Any, ClassVar
from urllib.parse import quote

from aiohttp import web

from tests.plugins.presets.api import SECRET, Api, Seen, basic, moment, reply

STATES = {"1": "New", "3": "Closed"}


def case(number: int, opened: str, updated: str, account: str, email: str, state: str = "1") -> dict[str, Any]:
    return {
        "sys_id": f"id{number}", "number": f"CS000{number}", "short_description": f"Question {number}",
        "state": (state, STATES[state]), "priority": ("4", "4 - Low"), "category": ("0", "Issue"),
        "account": (f"a-{account}" if account else "", account), "contact.email": email,
        "opened_at": (opened, "shown in the zone of the user"), "sys_updated_on": (updated, "shown in that zone"),
    }  # fmt: skip


def shown(field: Any) -> dict[str, str]:
    value, display = field if isinstance(field, tuple) else (field, field)
    return {"display_value": display, "value": value}


def activity(number: int, account: str, happened_at: str, status: str, **more: Any) -> dict[str, Any]:
    return {
        "reference": f"servicenow-id{number}", "account": account, "type": "Case", "source": "ServiceNow",
        "happened_at": happened_at,
        "additional_information_object": {
            "subject": f"Question {number}", "number": f"CS000{number}", "status": status, "priority": "4 - Low",
            "kind": "Issue", "url": f"URL/sn_customerservice_case.do?sys_id=id{number}",
        },
        **more,
    }  # fmt: skip


class ServiceNow(Api):
    preset = "servicenow"
    listing = "/api/now/table/sn_customerservice_case"
    small: ClassVar = {"params": {"sysparm_limit": 2}}
    wrong: ClassVar = {"password": "wrong"}
    first: ClassVar = [
        activity(1, "Acme Ltd", "2026-02-20 08:00:00", "New", contact="ann@acme.example"),
        activity(2, "Beta GmbH", "2026-02-21 08:00:00", "New"),
        activity(4, "Acme Ltd", "2026-02-23 08:00:00", "New", contact="ann@acme.example"),
    ]
    rejected: ClassVar = {"id3": "account"}
    then: ClassVar = [
        activity(1, "Acme Ltd", "2026-02-20 08:00:00", "Closed", contact="ann@acme.example"),
        activity(5, "Beta GmbH", "2026-03-04 08:30:00", "New"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.hidden = {"id8", "id9"}
        self.cases = [
            case(1, "2026-02-20 08:00:00", "2026-02-20 09:00:00", "Acme Ltd", "ann@acme.example"),
            case(2, "2026-02-21 08:00:00", "2026-02-22 09:00:00", "Beta GmbH", ""),
            case(8, "2026-02-21 08:00:00", "2026-02-22 10:00:00", "Secret Ltd", ""),
            case(9, "2026-02-21 08:00:00", "2026-02-22 11:00:00", "Secret Ltd", ""),
            case(3, "2026-02-22 08:00:00", "2026-02-23 09:00:00", "", "ann@acme.example"),
            case(4, "2026-02-23 08:00:00", "2026-02-24 09:00:00", "Acme Ltd", "ann@acme.example"),
        ]

    def edit(self) -> None:
        nine = ("2026-03-04 09:00:00", "shown in that zone")
        self.cases[0] |= {"state": ("3", "Closed"), "sys_updated_on": nine}
        self.cases.append(case(5, "2026-03-04 08:30:00", nine[0], "Beta GmbH", ""))

    def given(self) -> dict[str, Any]:
        return {"url": self.url, "username": "cgsync", "password": SECRET}

    def allowed(self, seen: Seen) -> bool:
        return seen.headers["Authorization"] == basic("cgsync", SECRET)

    def limit(self) -> web.Response:
        reset = str(int(time.time()) + self.pause + 1)
        headers = {"X-RateLimit-Limit": "100", "X-RateLimit-Reset": reset, "Retry-After": str(self.pause)}
        return reply({"error": {"message": "Rate limit exceeded"}, "status": "failure"}, status=429, headers=headers)

    def answer(self, seen: Seen) -> web.Response:
        query = seen.query
        assert (query["sysparm_display_value"], query["sysparm_exclude_reference_link"]) == ("all", "true")
        found = self._found(query["sysparm_query"])
        start, size = int(query["sysparm_offset"]), int(query["sysparm_limit"])
        fields = query["sysparm_fields"].split(",")
        page = [each for each in found[start : start + size] if each["sys_id"] not in self.hidden]
        self.served += len(page)
        links = {"X-Total-Count": str(len(found))}
        if start + size < len(found):
            rest = {**query, "sysparm_offset": start + size}
            address = "&".join(f"{key}={quote(str(value))}" for key, value in rest.items())
            links["Link"] = f'<{self.url}{seen.path}?{address}>;rel="next"'
        return reply({"result": [{name: shown(each[name]) for name in fields} for each in page]}, headers=links)

    def _found(self, query: str) -> list[dict[str, Any]]:
        pattern = r"sys_updated_on>=(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\^ORDERBYsys_updated_on\^ORDERBYsys_id"
        matched = re.fullmatch(pattern, query)
        assert matched, query
        found = [each for each in self.cases if moment(each["sys_updated_on"][0]) >= moment(matched[1])]
        return sorted(found, key=lambda each: (each["sys_updated_on"][0], each["sys_id"]))
