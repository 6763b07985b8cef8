"""Pipedrive: version 2, a token for the next page, organizations and persons by number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from aiohttp import web

from tests.plugins.presets.api import Api
from tests.plugins.presets.story import ACME, ANN, BETA, Case
from tests.plugins.presets.wire import PAGE, SECRET, Json, Seen, missing, moment, reply

ORGANIZATIONS = {11: ACME, 12: BETA}
PERSONS: dict[int, list[Json]] = {101: [{"value": ANN, "primary": True, "label": "work"}], 102: []}


class Pipedrive(Api):
    credential = ("x-api-token", SECRET)
    clock = "update_time"

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
        start, size = int(query.get("cursor", "c0").removeprefix("c")), min(int(query["limit"]), PAGE)
        data, following = self.page(self.since(moment(query["updated_since"])), start, size)
        return _data(data, additional_data={"next_cursor": f"c{following}" if following else None})


def _data(found: Json, **more: Json) -> web.Response:
    return reply({"success": True, "data": found, **more})


def _linked(case: Case) -> Json:
    """Organization and person; one who has no address is nobody at all in what is new."""
    person = 101 if case.contact else 102 if case.number < 5 else None
    return {"org_id": {ACME: 11, BETA: 12, "": None}[case.account], "person_id": person}


class Deals(Pipedrive):
    preset = "pipedrive-deals"
    listing = "/api/v2/deals"
    prefix = "pipedrive-deal-"
    kind = ("Deal", "Pipedrive")
    edited: ClassVar = {"status": "won"}
    edited_details: ClassVar = {"status": "won"}

    def record(self, case: Case) -> Json:
        return {
            "id": case.number, "title": case.title, "status": "open", "value": 1500.5, "currency": "EUR",
            "add_time": f"{case.begun}Z", "update_time": f"{case.changed}Z", "expected_close_date": None,
            "is_deleted": False, **_linked(case),
        }  # fmt: skip

    def details(self, case: Case) -> Json:
        return {
            "subject": case.title, "status": "open", "amount": 1500.5, "currency": "EUR",
            "url": f"URL/deal/{case.number}",
        }  # fmt: skip


OPEN = Case(4, "", "2026-02-24T09:00:00", ACME, ANN)
DONE = Case(4, "2026-03-04T08:55:00", "2026-03-04T09:00:00", ACME, ANN)


class Activities(Pipedrive):
    """What is done is an activity of the time when it was done; the fourth is still open at first."""

    preset = "pipedrive-activities"
    listing = "/api/v2/activities"
    story = (
        Case(1, "2026-02-20T09:00:00", "2026-02-20T09:00:00", ACME, ANN),
        Case(2, "2026-02-22T09:00:00", "2026-02-22T09:00:00", BETA),
        Case(3, "2026-02-23T09:00:00", "2026-02-23T09:00:00", "", ANN),
    )
    news = Case(5, "2026-03-04T09:00:00", "2026-03-04T09:00:00", BETA)
    prefix = "pipedrive-activity-"
    kind = ("Lunch call", "Pipedrive")

    def __init__(self) -> None:
        super().__init__()
        self.records.append(self.record(OPEN) | {"done": False, "marked_as_done_time": None})

    def record(self, case: Case) -> Json:
        return {
            "id": case.number, "subject": case.title, "type": "lunch_call", "done": True, "deal_id": None,
            "due_date": "2026-02-20", "due_time": "08:00:00", "add_time": "2026-02-01T08:00:00Z",
            "update_time": f"{case.changed}Z", "marked_as_done_time": f"{case.begun}Z", **_linked(case),
        }  # fmt: skip

    def details(self, case: Case) -> Json:
        return {"subject": case.title, "due": "2026-02-20"}

    @property
    def then(self) -> Sequence[Json]:
        return [self.activity(DONE), self.activity(self.news)]

    def edit(self) -> None:
        self.records[3] = self.record(DONE)
        self.records.append(self.record(self.news))
