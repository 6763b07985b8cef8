"""Intercom: the search of conversations in no order, a person's companies, a company."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import ClassVar

from aiohttp import web

from tests.plugins.presets.api import Api
from tests.plugins.presets.story import STORY, Case
from tests.plugins.presets.wire import PAGE, Json, Seen, missing, moment, reply

PEOPLE = {
    "Acme Ltd": {"id": "p1", "email": "ann@acme.example", "companies": ["c1"]},
    "Beta GmbH": {"id": "p2", "email": None, "companies": ["c2"]},
    "": {"id": "p3", "email": "eve@nowhere.example", "companies": []},
}
COMPANIES = {"c1": "Acme Ltd", "c2": "Beta GmbH"}
RATED = 4
"""The number of the conversation that has a title and is closed with a rating."""


def seconds(text: str) -> int:
    return int(moment(f"{text}Z").timestamp())


class Intercom(Api):
    preset = "intercom"
    listing = "/conversations/search"
    story = (replace(STORY[0], changed="2026-02-23T09:00:00"), *STORY[1:])
    clock = "updated_at"
    edited: ClassVar = {"state": "closed"}
    prefix = "intercom-"
    kind = ("Conversation", "Intercom")
    edited_details: ClassVar = {"status": "closed"}

    def record(self, case: Case) -> Json:
        person, rated = PEOPLE[case.account]["id"], case.number == RATED
        return {
            "type": "conversation", "id": str(case.number), "title": "The title" if rated else None,
            "state": "closed" if rated else "open", "conversation_rating": {"rating": 5} if rated else None,
            "created_at": seconds(case.begun), "updated_at": seconds(case.changed), "priority": "not_priority",
            "source": {"type": "email", "subject": f"<p>{case.title}</p>", "author": {"type": "user", "id": person}},
            "contacts": {"type": "contact.list", "contacts": [{"type": "contact", "id": person}]},
        }  # fmt: skip

    def details(self, case: Case) -> Json:
        known = {"subject": case.title, "status": "open", "priority": "not_priority", "channel": "email"}
        return {**known, "subject": "The title", "status": "closed", "rating": 5} if case.number == RATED else known

    @property
    def first(self) -> Sequence[Json]:
        one, two, four = super().first
        return [two, four, one]

    @property
    def then(self) -> Sequence[Json]:
        return super().then[::-1]

    def changed(self, record: Json) -> datetime:
        return datetime.fromtimestamp(record[self.clock], UTC)

    def allowed(self, seen: Seen) -> bool:
        return super().allowed(seen) and seen.headers["Intercom-Version"] == "2.11"

    def limit(self) -> web.Response:
        headers = {"X-RateLimit-Limit": "1000", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": self.reset}
        return reply({"type": "error.list", "errors": [{"code": "rate_limit_exceeded"}]}, status=429, headers=headers)

    def answer(self, seen: Seen) -> web.Response:
        if seen.path == self.listing:
            return self._search(seen.body)
        _, kind, number = seen.path.split("/")
        if kind == "companies":
            return reply({"type": "company", "id": number, "name": COMPANIES[number]})
        person = next((each for each in PEOPLE.values() if each["id"] == number), None)
        if person is None:
            return missing()
        of = [{"id": each, "type": "company", "url": f"/companies/{each}"} for each in person["companies"]]
        listed = {"type": "list", "data": of, "total_count": len(of), "has_more": False}
        return reply({"type": "contact", "id": number, "email": person["email"], "companies": listed})

    def _search(self, body: Json) -> web.Response:
        """The operators leave their own value out; what comes first is not said."""
        above, below = body["query"]["value"]
        assert body["query"]["operator"] == "AND"
        assert (above["field"], above["operator"]) == (self.clock, ">")
        assert (below["field"], below["operator"]) == (self.clock, "<")
        assert type(above["value"]) is type(below["value"]) is int
        found = [each for each in reversed(self.records) if above["value"] < each[self.clock] < below["value"]]
        paging = body["pagination"]
        size = min(paging["per_page"], PAGE)
        page, following = self.page(found, int(paging.get("starting_after", 0)), size)
        more = {"next": {"page": 2, "starting_after": str(following)}} if following else {}
        return reply(
            {
                "type": "conversation.list", "conversations": page, "total_count": len(found),
                "pages": {"type": "pages", "page": 1, "per_page": size, **more},
            }
        )  # fmt: skip
