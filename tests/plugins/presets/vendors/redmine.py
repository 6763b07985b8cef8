"""Redmine: a filter with its operator in the value, offset and limit."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from tests.plugins.presets.api import SECRET, Api, Seen, moment, reply


def issue(number: int, created: str, updated: str, project: Any, **more: Any) -> dict[str, Any]:
    return {
        "id": number, "project": project, "tracker": {"id": 3, "name": "Support"}, "status": {"id": 1, "name": "New"},
        "priority": {"id": 4, "name": "Normal"}, "author": {"id": 5, "name": "Ann"}, "subject": f"Question {number}",
        "created_on": created, "updated_on": updated, "custom_fields": [], **more,
    }  # fmt: skip


def activity(number: int, account: str, happened_at: str, status: str) -> dict[str, Any]:
    return {
        "reference": f"redmine-{number}", "account": account, "type": "Issue", "source": "Redmine",
        "happened_at": happened_at,
        "additional_information_object": {
            "subject": f"Question {number}", "status": status, "priority": "Normal", "kind": "Support",
            "opened_by": "Ann", "url": f"URL/issues/{number}",
        },
    }  # fmt: skip


ACME, BETA = {"id": 1, "name": "Acme Ltd"}, {"id": 2, "name": "Beta GmbH"}


class Redmine(Api):
    preset = "redmine"
    listing = "/issues.json"
    small: ClassVar = {"paginate": {"offset": {"limit": 2, "total_path": "$.total_count"}}}
    wrong: ClassVar = {"key": "wrong"}
    first: ClassVar = [
        activity(1, "Acme Ltd", "2026-02-20 08:00:00", "New"),
        activity(2, "Beta GmbH", "2026-02-21 08:00:00", "New"),
        activity(4, "Acme Ltd", "2026-02-23 08:00:00", "Closed"),
    ]
    rejected: ClassVar = {"3": "account"}
    then: ClassVar = [
        activity(1, "Acme Ltd", "2026-02-20 08:00:00", "Closed"),
        activity(5, "Beta GmbH", "2026-03-04 08:30:00", "New"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.issues = [
            issue(1, "2026-02-20T08:00:00Z", "2026-02-20T09:00:00Z", ACME),
            issue(2, "2026-02-21T08:00:00Z", "2026-02-22T09:00:00Z", BETA),
            issue(3, "2026-02-22T08:00:00Z", "2026-02-23T09:00:00Z", {"id": 3}),
            issue(4, "2026-02-23T08:00:00Z", "2026-02-24T09:00:00Z", ACME, status={"id": 5, "name": "Closed"}),
        ]

    def edit(self) -> None:
        self.issues[0] |= {"status": {"id": 5, "name": "Closed"}, "updated_on": "2026-03-04T09:00:00Z"}
        self.issues.append(issue(5, "2026-03-04T08:30:00Z", "2026-03-04T09:00:00Z", BETA))

    def given(self) -> dict[str, Any]:
        return {"url": self.url, "key": SECRET}

    def allowed(self, seen: Seen) -> bool:
        return seen.headers.get("X-Redmine-API-Key") == SECRET

    def answer(self, seen: Seen) -> Any:
        query = seen.query
        assert (query["status_id"], query["sort"]) == ("*", "updated_on:asc,id:asc")
        asked = re.fullmatch(r">=(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)", query["updated_on"])  # no fraction is understood
        assert asked, query["updated_on"]
        found = [each for each in self.issues if moment(each["updated_on"]) >= moment(asked[1])]
        found.sort(key=lambda each: (each["updated_on"], each["id"]))
        start, size = int(query["offset"]), int(query["limit"])
        issues = self.page(found, start, size)
        return reply({"issues": issues, "total_count": len(found), "offset": start, "limit": size})
