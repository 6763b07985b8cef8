"""Jira: JQL in both kinds of it; Cloud pages by token, Data Center by offset."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import ClassVar

from aiohttp import web

from tests.plugins.presets.api import Api
from tests.plugins.presets.story import STORY, Case
from tests.plugins.presets.wire import SECRET, Json, Seen, basic, moment, reply

ORGANIZATIONS = "customfield_10002"
CUSTOMERS: dict[int, Json] = {  # organizations of a service desk, a choice, nothing, a text
    1: [{"id": "1", "name": "Acme Ltd"}], 2: {"value": "Beta GmbH"}, 3: None, 4: "Gamma AG", 5: {"value": "Beta GmbH"},
}  # fmt: skip


class Jira(Api):
    story = (*STORY[:3], replace(STORY[3], account="Gamma AG"))
    clock = "updated"
    edited: ClassVar = {"status": {"name": "Done", "id": "3"}}
    prefix = "jira-SUP-"
    kind = ("Issue", "Jira")
    edited_details: ClassVar = {"status": "Done"}
    rejected: ClassVar = {"10003": "account"}

    def record(self, case: Case) -> Json:
        person = {"displayName": "Ann", "active": True}
        if case.contact:
            person["emailAddress"] = case.contact
        return {
            "id": str(10_000 + case.number), "key": f"SUP-{case.number}",
            "self": f"https://jira.example/rest/api/2/issue/{case.number}",
            "fields": {
                "summary": case.title, "status": {"name": "Open", "id": "1"},
                "priority": {"name": "High", "id": "2"} if case.number == 1 else None, "issuetype": {"name": "Task"},
                "reporter": person, "created": _zoned(case, case.begun), "updated": _zoned(case, case.changed),
                ORGANIZATIONS: CUSTOMERS[case.number],
            },
        }  # fmt: skip

    def fields(self, record: Json) -> Json:
        return record["fields"]

    def details(self, case: Case) -> Json:
        priority = {"priority": "High"} if case.number == 1 else {}
        url = f"URL/browse/SUP-{case.number}"
        return {"subject": case.title, "status": "Open", **priority, "kind": "Task", "url": url}

    def found(self, seen: Seen) -> list[Json]:
        """What the JQL asks for; a number in it is milliseconds since 1970, whatever the zone of the user."""
        query = r"\(project is not EMPTY\) AND updated >= (\d{13}) ORDER BY updated ASC, key ASC"
        matched = re.fullmatch(query, seen.query["jql"])
        assert matched, seen.query["jql"]
        found, wanted = self.since(datetime.fromtimestamp(int(matched[1]) / 1000, UTC)), seen.query["fields"].split(",")
        return [{**each, "fields": {name: each["fields"][name] for name in wanted}} for each in found]


def _zoned(case: Case, text: str) -> str:
    """In UTC, but for the second issue, which comes in the zone of somebody else."""
    zone = timezone(timedelta(hours=case.number == 2))
    return moment(f"{text}Z").astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S.000%z")


class JiraCloud(Jira):
    preset = "jira-cloud"
    listing = "/rest/api/3/search/jql"
    small: ClassVar = {"params": {"maxResults": 2}}
    options: ClassVar = {"email": "bot@acme.example", "token": SECRET, "account_field": ORGANIZATIONS}
    credential = ("Authorization", basic("bot@acme.example", SECRET))

    def limit(self) -> web.Response:
        headers = {"X-RateLimit-Reset": "2026-03-04T08:01Z", "RateLimit-Reason": "jira-quota-based"}
        return self.too_many({"errorMessages": ["Rate limit exceeded."]}, **headers)

    def answer(self, seen: Seen) -> web.Response:
        start = int(seen.query.get("nextPageToken", "page-0").removeprefix("page-"))
        issues, following = self.page(self.found(seen), start, int(seen.query["maxResults"]))
        token = {"nextPageToken": f"page-{following}"} if following else {}
        return reply({"issues": issues, **token, "isLast": not following})


class JiraDataCenter(Jira):
    preset = "jira-data-center"
    listing = "/rest/api/2/search"
    small: ClassVar = {
        "paginate": {"offset": {"param": "startAt", "limit_param": "maxResults", "limit": 2, "total_path": "$.total"}}
    }
    options: ClassVar = {"token": SECRET, "account_field": ORGANIZATIONS}

    def limit(self) -> web.Response:
        headers = {
            "X-RateLimit-Limit": "5", "X-RateLimit-Remaining": "0", "X-RateLimit-FillRate": "1",
            "X-RateLimit-Interval-Seconds": "7",
        }  # fmt: skip
        return self.too_many({"message": "Rate limit exceeded."}, **headers)

    def answer(self, seen: Seen) -> web.Response:
        found, start, size = self.found(seen), int(seen.query["startAt"]), int(seen.query["maxResults"])
        issues, _ = self.page(found, start, size)
        return reply({"expand": "names", "startAt": start, "maxResults": size, "total": len(found), "issues": issues})
