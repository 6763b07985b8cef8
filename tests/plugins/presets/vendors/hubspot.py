"""HubSpot: the search of an object, what is linked to one, and the linked company and contact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from aiohttp import web

from tests.plugins.presets.api import PAGE, SECRET, Api, Json, Seen, missing, moment, reply

COMPANIES = {"11": "Acme Ltd", "12": "Beta GmbH"}
CONTACTS = {"101": "ann@acme.example", "102": None}
LINKS = {  # an object's company and contact; company 13 is gone
    "1": ("11", "101"), "2": ("12", "102"), "3": ("13", "101"), "4": ("11", "101"), "5": ("12", "101"),
}  # fmt: skip
BEGUN = {
    1: "2026-02-20T08:00:00Z", 2: "2026-02-21T08:00:00Z", 3: "2026-02-22T08:00:00Z", 4: "2026-02-23T08:00:00Z",
    5: "2026-03-04T08:30:00Z",
}  # fmt: skip
CHANGED = {
    1: "2026-02-20T09:00:00.120Z", 2: "2026-02-22T09:00:00Z", 3: "2026-02-23T09:00:00Z", 4: "2026-02-24T09:00:00Z",
    5: "2026-03-04T09:00:00Z",
}  # fmt: skip


class HubSpot(Api):
    wrong: ClassVar = {"token": "wrong"}
    rejected: ClassVar = {"3": "account"}
    pause = 0  # the search says nothing of its limits
    kind: ClassVar[str]
    begins: ClassVar[str]
    """the property with the time of the object itself"""
    usual: ClassVar[Mapping[str, Json]]
    """properties of each object"""
    edited: ClassVar[Mapping[str, Json]]
    """properties of the first one that change"""

    def __init__(self) -> None:
        super().__init__()
        self.objects = [self._object(number) for number in (1, 2, 3, 4)]

    def _object(self, number: int) -> dict[str, Any]:
        times = {self.begins: BEGUN[number], "hs_lastmodifieddate": CHANGED[number]}
        properties = {**self.usual, **times, "hs_object_id": str(number)}
        return {"id": str(number), "properties": properties, "createdAt": BEGUN[number], "archived": False}

    def edit(self) -> None:
        self.objects[0]["properties"] |= {**self.edited, "hs_lastmodifieddate": "2026-03-04T09:00:00Z"}
        self.objects.append(self._object(5))

    def given(self) -> dict[str, Any]:
        return {"url": self.url, "token": SECRET}

    def allowed(self, seen: Seen) -> bool:
        return seen.headers["Authorization"] == f"Bearer {SECRET}"

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
        assert body["sorts"] == [{"propertyName": "hs_lastmodifieddate", "direction": "ASCENDING"}]
        [[asked]] = [group["filters"] for group in body["filterGroups"]]
        assert (asked["propertyName"], asked["operator"]) == ("hs_lastmodifieddate", "GTE")
        since = int(asked["value"]) / 1000
        found = [each for each in self.objects if _changed(each).timestamp() >= since]
        found.sort(key=lambda each: (_changed(each), each["id"]))
        start, size = int(body.get("after", 0)), min(body["limit"], PAGE)
        page = [_shown(each, body["properties"]) for each in self.page(found, start, size)]
        more = {"paging": {"next": {"after": str(start + size)}}} if start + size < len(found) else {}
        return reply({"total": len(found), "results": page, **more})


def _changed(thing: Json) -> Any:
    return moment(thing["properties"]["hs_lastmodifieddate"])


def _shown(thing: Json, wanted: list[str]) -> Json:
    """What was not asked for is not there; what has no value is null."""
    properties = {name: thing["properties"].get(name) for name in (*wanted, "hs_object_id")}
    return {**thing, "properties": properties}


def activities(word: str, kind: str, details: Mapping[int, Json]) -> list[Json]:
    """Of the objects with these numbers; ``details`` are the additional information of each."""
    accounts = {1: "Acme Ltd", 2: "Beta GmbH", 4: "Acme Ltd", 5: "Beta GmbH"}
    return [
        {
            "reference": f"hubspot-{word}-{number}", "account": accounts[number], "type": kind, "source": "HubSpot",
            "happened_at": BEGUN[number].replace("T", " ").removesuffix("Z"), "additional_information_object": known,
            **({} if number == 2 else {"contact": "ann@acme.example"}),
        }
        for number, known in details.items()
    ]  # fmt: skip
