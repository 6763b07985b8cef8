"""Pipedrive: version 2, a token for the next page, organizations and persons by number."""

from __future__ import annotations

from typing import Any, ClassVar

from aiohttp import web

from tests.plugins.presets.api import PAGE, SECRET, Api, Json, Seen, missing, moment, reply

ORGANIZATIONS = {11: "Acme Ltd", 12: "Beta GmbH"}
PERSONS: dict[int, list[Json]] = {101: [{"value": "ann@acme.example", "primary": True, "label": "work"}], 102: []}


class Pipedrive(Api):
    wrong: ClassVar = {"token": "wrong"}
    rejected: ClassVar = {"3": "account"}
    things: list[Json]

    def given(self) -> dict[str, Any]:
        return {"url": self.url, "token": SECRET}

    def allowed(self, seen: Seen) -> bool:
        return seen.headers.get("x-api-token") == SECRET

    def limit(self) -> web.Response:
        headers = {"x-ratelimit-limit": "20", "x-ratelimit-remaining": "0", "x-ratelimit-reset": str(self.pause)}
        return reply({"success": False, "error": "request over limit"}, status=429, headers=headers)

    def answer(self, seen: Seen) -> web.Response:
        if seen.path == self.listing:
            return self._list(seen)
        _, _, _, kind, number = seen.path.split("/")
        if kind == "organizations" and int(number) in ORGANIZATIONS:
            return _data({"id": int(number), "name": ORGANIZATIONS[int(number)]})
        if kind == "persons":
            return _data({"id": int(number), "name": "somebody", "emails": PERSONS[int(number)]})
        return missing()

    def _list(self, seen: Seen) -> web.Response:
        query = seen.query
        assert (query["sort_by"], query["sort_direction"]) == ("update_time", "asc")
        found = [each for each in self.things if moment(each["update_time"]) >= moment(query["updated_since"])]
        found.sort(key=lambda each: (each["update_time"], each["id"]))
        start, size = int(query.get("cursor", "c0").removeprefix("c")), min(int(query["limit"]), PAGE)
        following = f"c{start + size}" if start + size < len(found) else None
        data = self.page(found, start, size)
        return reply({"success": True, "data": data, "additional_data": {"next_cursor": following}})


def _data(thing: Json) -> web.Response:
    return reply({"success": True, "data": thing})


def deal(number: int, added: str, updated: str, organization: Any, person: Any, **more: Any) -> Json:
    return {
        "id": number, "title": f"Renewal {number}", "status": "open", "value": 1500.5, "currency": "EUR",
        "org_id": organization, "person_id": person, "add_time": added, "update_time": updated,
        "expected_close_date": None, "is_deleted": False, **more,
    }  # fmt: skip


def deal_activity(number: int, account: str, happened_at: str, status: str, **more: Any) -> Json:
    return {
        "reference": f"pipedrive-deal-{number}", "account": account, "type": "Deal", "source": "Pipedrive",
        "happened_at": happened_at,
        "additional_information_object": {
            "subject": f"Renewal {number}", "status": status, "amount": 1500.5, "currency": "EUR",
            "url": f"URL/deal/{number}",
        },
        **more,
    }  # fmt: skip


class Deals(Pipedrive):
    preset = "pipedrive-deals"
    listing = "/api/v2/deals"
    first: ClassVar = [
        deal_activity(1, "Acme Ltd", "2026-02-20 08:00:00", "open", contact="ann@acme.example"),
        deal_activity(2, "Beta GmbH", "2026-02-21 08:00:00", "open"),
        deal_activity(4, "Acme Ltd", "2026-02-23 08:00:00", "lost"),
    ]
    then: ClassVar = [
        deal_activity(1, "Acme Ltd", "2026-02-20 08:00:00", "won", contact="ann@acme.example"),
        deal_activity(5, "Beta GmbH", "2026-03-04 08:30:00", "open", contact="ann@acme.example"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.things = [
            deal(1, "2026-02-20T08:00:00Z", "2026-02-20T09:00:00Z", 11, 101),
            deal(2, "2026-02-21T08:00:00Z", "2026-02-22T09:00:00Z", 12, 102),
            deal(3, "2026-02-22T08:00:00Z", "2026-02-23T09:00:00Z", None, 101),
            deal(4, "2026-02-23T08:00:00Z", "2026-02-24T09:00:00Z", 11, None, status="lost"),
        ]

    def edit(self) -> None:
        self.things[0] |= {"status": "won", "update_time": "2026-03-04T09:00:00Z"}
        self.things.append(deal(5, "2026-03-04T08:30:00Z", "2026-03-04T09:00:00Z", 12, 101))


def task(number: int, updated: str, organization: Any, person: Any, **more: Any) -> Json:
    return {
        "id": number, "subject": f"Check-in {number}", "type": "lunch_call", "done": True, "org_id": organization,
        "person_id": person, "deal_id": None, "due_date": "2026-02-20", "due_time": "08:00:00",
        "add_time": "2026-02-01T08:00:00Z", "update_time": updated, "marked_as_done_time": updated, **more,
    }  # fmt: skip


def task_activity(number: int, account: str, happened_at: str, **more: Any) -> Json:
    return {
        "reference": f"pipedrive-activity-{number}", "account": account, "type": "Lunch call", "source": "Pipedrive",
        "happened_at": happened_at,
        "additional_information_object": {"subject": f"Check-in {number}", "due": "2026-02-20"},
        **more,
    }  # fmt: skip


class Activities(Pipedrive):
    preset = "pipedrive-activities"
    listing = "/api/v2/activities"
    first: ClassVar = [
        task_activity(1, "Acme Ltd", "2026-02-20 09:00:00", contact="ann@acme.example"),
        task_activity(2, "Beta GmbH", "2026-02-22 09:00:00"),
    ]
    then: ClassVar = [
        task_activity(4, "Acme Ltd", "2026-03-04 08:55:00", contact="ann@acme.example"),
        task_activity(5, "Beta GmbH", "2026-03-04 09:00:00"),
    ]

    def __init__(self) -> None:
        super().__init__()
        still_open = {"done": False, "marked_as_done_time": None}
        self.things = [
            task(1, "2026-02-20T09:00:00Z", 11, 101),
            task(2, "2026-02-22T09:00:00Z", 12, 102),
            task(3, "2026-02-23T09:00:00Z", None, 101),
            task(4, "2026-02-24T09:00:00Z", 11, 101, **still_open),
        ]

    def edit(self) -> None:
        done = {"done": True, "marked_as_done_time": "2026-03-04T08:55:00Z", "update_time": "2026-03-04T09:00:00Z"}
        self.things[3] |= done
        self.things.append(task(5, "2026-03-04T09:00:00Z", 12, None))
