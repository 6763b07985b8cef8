"""Jira: JQL in both kinds of it; Cloud pages by token, Data Center by offset."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from aiohttp import web

from tests.plugins.presets.api import SECRET, Api, Seen, basic, moment, reply

ORGANIZATIONS = "customfield_10002"


def issue(
    number: int, created: str, updated: str, customer: Any, reporter: Any, status: str = "Open"
) -> dict[str, Any]:
    return {
        "id": str(10_000 + number), "key": f"SUP-{number}", "self": f"https://jira.example/rest/api/2/issue/{number}",
        "fields": {
            "summary": f"Question {number}", "status": {"name": status, "id": "1"},
            "priority": {"name": "High", "id": "2"} if number == 1 else None, "issuetype": {"name": "Task"},
            "reporter": reporter, "created": created, "updated": updated, ORGANIZATIONS: customer,
        },
    }  # fmt: skip


def activity(number: int, account: str, happened_at: str, status: str, **more: Any) -> dict[str, Any]:
    priority = {"priority": "High"} if number == 1 else {}
    return {
        "reference": f"jira-SUP-{number}", "account": account, "type": "Issue", "source": "Jira",
        "happened_at": happened_at,
        "additional_information_object": {
            "subject": f"Question {number}", "status": status, **priority, "kind": "Task",
            "url": f"URL/browse/SUP-{number}",
        },
        **more,
    }  # fmt: skip


ANN = {"displayName": "Ann", "emailAddress": "ann@acme.example", "active": True}
HIDDEN = {"displayName": "Bob", "active": True}


class Jira(Api):
    wrong: ClassVar = {"token": "wrong"}
    first: ClassVar = [
        activity(1, "Acme Ltd", "2026-02-20 08:00:00", "Open", contact="ann@acme.example"),
        activity(2, "Beta GmbH", "2026-02-21 07:00:00", "Open"),
        activity(4, "Gamma AG", "2026-02-23 08:00:00", "Open", contact="ann@acme.example"),
    ]
    rejected: ClassVar = {"10003": "account"}
    then: ClassVar = [
        activity(1, "Acme Ltd", "2026-02-20 08:00:00", "Done", contact="ann@acme.example"),
        activity(5, "Beta GmbH", "2026-03-04 08:30:00", "Open", contact="ann@acme.example"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.issues = [  # the customer: organizations of a service desk, a choice, nothing, a text
            issue(
                1,
                "2026-02-20T08:00:00.000+0000",
                "2026-02-20T09:00:00.000+0000",
                [{"id": "1", "name": "Acme Ltd"}],
                ANN,
            ),
            issue(2, "2026-02-21T08:00:00.000+0100", "2026-02-22T09:00:00.000+0100", {"value": "Beta GmbH"}, HIDDEN),
            issue(3, "2026-02-22T08:00:00.000+0000", "2026-02-23T09:00:00.000+0000", None, ANN),
            issue(4, "2026-02-23T08:00:00.000+0000", "2026-02-24T09:00:00.000+0000", "Gamma AG", ANN),
        ]

    def edit(self) -> None:
        nine = "2026-03-04T09:00:00.000+0000"
        self.issues[0]["fields"] |= {"status": {"name": "Done", "id": "3"}, "updated": nine}
        self.issues.append(issue(5, "2026-03-04T08:30:00.000+0000", nine, {"value": "Beta GmbH"}, ANN))

    def found(self, seen: Seen) -> list[dict[str, Any]]:
        """What the JQL asks for; a number in it is milliseconds since 1970, whatever the zone of the user."""
        query = r"\(project is not EMPTY\) AND updated >= (\d{13}) ORDER BY updated ASC, key ASC"
        matched = re.fullmatch(query, seen.query["jql"])
        assert matched, seen.query["jql"]
        since, wanted = int(matched[1]) / 1000, seen.query["fields"].split(",")
        found = [each for each in self.issues if moment(each["fields"]["updated"]).timestamp() >= since]
        found.sort(key=lambda each: (moment(each["fields"]["updated"]), each["key"]))
        return [{**each, "fields": {name: each["fields"][name] for name in wanted}} for each in found]


class JiraCloud(Jira):
    preset = "jira-cloud"
    listing = "/rest/api/3/search/jql"
    small: ClassVar = {"params": {"maxResults": 2}}

    def given(self) -> dict[str, Any]:
        return {"url": self.url, "email": "bot@acme.example", "token": SECRET, "account_field": ORGANIZATIONS}

    def allowed(self, seen: Seen) -> bool:
        return seen.headers["Authorization"] == basic("bot@acme.example", SECRET)

    def limit(self) -> web.Response:
        headers = {"Retry-After": "7", "X-RateLimit-Reset": "2026-03-04T08:01Z", "RateLimit-Reason": "jira-quota-based"}
        return reply({"errorMessages": ["Rate limit exceeded."]}, status=429, headers=headers)

    def answer(self, seen: Seen) -> web.Response:
        found, size = self.found(seen), int(seen.query["maxResults"])
        start = int(seen.query.get("nextPageToken", "page-0").removeprefix("page-"))
        last = start + size >= len(found)
        token = {} if last else {"nextPageToken": f"page-{start + size}"}
        return reply({"issues": self.page(found, start, size), **token, "isLast": last})


class JiraDataCenter(Jira):
    preset = "jira-data-center"
    listing = "/rest/api/2/search"
    small: ClassVar = {
        "paginate": {"offset": {"param": "startAt", "limit_param": "maxResults", "limit": 2, "total_path": "$.total"}}
    }

    def given(self) -> dict[str, Any]:
        return {"url": self.url, "token": SECRET, "account_field": ORGANIZATIONS}

    def allowed(self, seen: Seen) -> bool:
        return seen.headers["Authorization"] == f"Bearer {SECRET}"

    def limit(self) -> web.Response:
        headers = {
            "Retry-After": "7", "X-RateLimit-Limit": "5", "X-RateLimit-Remaining": "0",
            "X-RateLimit-FillRate": "1", "X-RateLimit-Interval-Seconds": "7",
        }  # fmt: skip
        return reply({"message": "Rate limit exceeded."}, status=429, headers=headers)

    def answer(self, seen: Seen) -> web.Response:
        found, start, size = self.found(seen), int(seen.query["startAt"]), int(seen.query["maxResults"])
        issues = self.page(found, start, size)
        return reply({"expand": "names", "startAt": start, "maxResults": size, "total": len(found), "issues": issues})
