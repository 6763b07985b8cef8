"""HubSpot: the search of an object, what is linked to one, and the linked company and contact."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import ClassVar

from aiohttp import web

from tests.plugins.presets.api import Api
from tests.plugins.presets.story import STORY, Case
from tests.plugins.presets.wire import PAGE, Json, Seen, missing, reply

COMPANIES = {"11": "Acme Ltd", "12": "Beta GmbH"}
CONTACTS = {"101": "ann@acme.example", "102": None}
LINKS = {  # an object's company and contact; company 13 is gone
    "1": ("11", "101"), "2": ("12", "102"), "3": ("13", "101"), "4": ("11", "101"), "5": ("12", "102"),
}  # fmt: skip


class HubSpot(Api):
    clock = "hs_lastmodifieddate"
    pause = 0  # the search says nothing of its limits
    begins: ClassVar[str]
    """the property with the time of the object itself"""
    usual: ClassVar[Mapping[str, Json]]
    """properties of each object"""
    known: ClassVar[Mapping[str, Json]]
    """the additional information that they become"""

    def record(self, case: Case) -> Json:
        number, begun = str(case.number), f"{case.begun}Z"
        changed = f"{case.changed}.120Z" if case == STORY[0] else f"{case.changed}Z"
        properties = {**self.usual, self.begins: begun, self.clock: changed, "hs_object_id": number}
        return {"id": number, "properties": properties, "createdAt": begun, "archived": False}

    def fields(self, record: Json) -> Json:
        return record["properties"]

    def details(self, case: Case) -> Json:
        return self.known

    def limit(self) -> web.Response:
        words = {"status": "error", "errorType": "RATE_LIMIT", "policyName": "SECONDLY", "message": "secondly limit"}
        return reply(words, status=429)

    def answer(self, seen: Seen) -> web.Response:
        if seen.path == self.listing:
            return self._search(seen.body)
        _, _, _, _, kind, number = seen.path.split("/")
        if kind == "companies":
            name = COMPANIES.get(number)
            return reply({"id": number, "properties": {"name": name}}) if name else missing()
        if kind == "contacts":
            return reply({"id": number, "properties": {"email": CONTACTS[number]}})
        return self._linked(number, seen.query["associations"].split(","))

    def _linked(self, number: str, kinds: list[str]) -> web.Response:
        company, contact = LINKS[number]
        linked = {"companies": company, "contacts": contact}
        word = self.preset.removeprefix("hubspot-").removesuffix("s")
        results = {each: {"results": [{"id": linked[each], "type": f"{word}_to_{each}"}]} for each in kinds}
        return reply({"id": number, "properties": {"hs_object_id": number}, "associations": results})

    def _search(self, body: Json) -> web.Response:
        assert body["sorts"] == [{"propertyName": self.clock, "direction": "ASCENDING"}]
        [[asked]] = [group["filters"] for group in body["filterGroups"]]
        assert (asked["propertyName"], asked["operator"]) == (self.clock, "GTE")
        found = self.since(datetime.fromtimestamp(int(asked["value"]) / 1000, UTC))
        page, following = self.page(found, int(body.get("after", 0)), min(body["limit"], PAGE))
        more = {"paging": {"next": {"after": str(following)}}} if following else {}
        return reply({"total": len(found), "results": [_shown(each, body["properties"]) for each in page], **more})


def _shown(thing: Json, wanted: list[str]) -> Json:
    """What was not asked for is not there; what has no value is null."""
    properties = {name: thing["properties"].get(name) for name in (*wanted, "hs_object_id")}
    return {**thing, "properties": properties}
