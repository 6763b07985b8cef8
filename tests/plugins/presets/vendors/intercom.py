"""Intercom: the search of conversations in no order, a person's companies, a company."""

from __future__ import annotations

import time
from typing import Any, ClassVar

from aiohttp import web

from tests.plugins.presets.api import PAGE, SECRET, Api, Json, Seen, missing, moment, reply

PEOPLE = {
    "p1": {"email": "ann@acme.example", "companies": ["c1"]}, "p2": {"email": None, "companies": ["c2"]},
    "p3": {"email": "eve@nowhere.example", "companies": []},
}  # fmt: skip
COMPANIES = {"c1": "Acme Ltd", "c2": "Beta GmbH"}


def seconds(text: str) -> int:
    return int(moment(text).timestamp())


def conversation(number: int, created: str, updated: str, person: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "conversation", "id": str(number), "title": None, "state": "open", "priority": "not_priority",
        "created_at": seconds(created), "updated_at": seconds(updated), "conversation_rating": None,
        "source": {"type": "email", "subject": f"<p>Question {number}</p>", "author": {"type": "user", "id": person}},
        "contacts": {"type": "contact.list", "contacts": [{"type": "contact", "id": person}]}, **more,
    }  # fmt: skip


def activity(number: int, account: str, happened_at: str, status: str, **more: Any) -> dict[str, Any]:
    return {
        "reference": f"intercom-{number}", "account": account, "type": "Conversation", "source": "Intercom",
        "happened_at": happened_at,
        "additional_information_object": {
            "subject": f"Question {number}", "status": status, "priority": "not_priority", "channel": "email",
        },
        **more,
    }  # fmt: skip


RATED = activity(4, "Acme Ltd", "2026-02-23 08:00:00", "closed", contact="ann@acme.example")
RATED["additional_information_object"] |= {"subject": "The title", "rating": 5}


class Intercom(Api):
    preset = "intercom"
    listing = "/conversations/search"
    wrong: ClassVar = {"token": "wrong"}
    first: ClassVar = [
        activity(2, "Beta GmbH", "2026-02-21 08:00:00", "open"),
        RATED,
        activity(1, "Acme Ltd", "2026-02-20 08:00:00", "open", contact="ann@acme.example"),
    ]
    rejected: ClassVar = {"3": "account"}
    then: ClassVar = [
        activity(5, "Beta GmbH", "2026-03-04 08:30:00", "open"),
        activity(1, "Acme Ltd", "2026-02-20 08:00:00", "closed", contact="ann@acme.example"),
    ]

    def __init__(self) -> None:
        super().__init__()
        rated = {"title": "The title", "state": "closed", "conversation_rating": {"rating": 5}}
        self.conversations = [
            conversation(1, "2026-02-20T08:00:00Z", "2026-02-23T09:00:00Z", "p1"),
            conversation(2, "2026-02-21T08:00:00Z", "2026-02-22T09:00:00Z", "p2"),
            conversation(3, "2026-02-22T08:00:00Z", "2026-02-23T09:00:00Z", "p3"),
            conversation(4, "2026-02-23T08:00:00Z", "2026-02-24T09:00:00Z", "p1", **rated),
        ]

    def edit(self) -> None:
        self.conversations[0] |= {"state": "closed", "updated_at": seconds("2026-03-04T09:00:00Z")}
        self.conversations.append(conversation(5, "2026-03-04T08:30:00Z", "2026-03-04T09:00:00Z", "p2"))

    def given(self) -> dict[str, Any]:
        return {"url": self.url, "token": SECRET}

    def allowed(self, seen: Seen) -> bool:
        return (seen.headers["Authorization"], seen.headers["Intercom-Version"]) == (f"Bearer {SECRET}", "2.11")

    def limit(self) -> web.Response:
        reset = str(int(time.time()) + self.pause + 1)  # by its own clock, to which the header Date belongs
        headers = {"X-RateLimit-Limit": "1000", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
        return reply({"type": "error.list", "errors": [{"code": "rate_limit_exceeded"}]}, status=429, headers=headers)

    def answer(self, seen: Seen) -> web.Response:
        if seen.path == self.listing:
            return self._search(seen.body)
        _, kind, number = seen.path.split("/")
        if kind == "companies":
            return reply({"type": "company", "id": number, "name": COMPANIES[number]})
        if number not in PEOPLE:
            return missing()
        of = [{"id": each, "type": "company", "url": f"/companies/{each}"} for each in PEOPLE[number]["companies"]]
        listed = {"type": "list", "data": of, "total_count": len(of), "has_more": False}
        return reply({"type": "contact", "id": number, "email": PEOPLE[number]["email"], "companies": listed})

    def _search(self, body: Json) -> web.Response:
        """The operators leave their own value out; what comes first is not said."""
        above, below = body["query"]["value"]
        assert body["query"]["operator"] == "AND"
        assert (above["field"], above["operator"]) == ("updated_at", ">")
        assert (below["field"], below["operator"]) == ("updated_at", "<")
        assert type(above["value"]) is type(below["value"]) is int
        found = [each for each in reversed(self.conversations) if above["value"] < each["updated_at"] < below["value"]]
        paging = body["pagination"]
        start, size = int(paging.get("starting_after", 0)), min(paging["per_page"], PAGE)
        more = {"next": {"page": 2, "starting_after": str(start + size)}} if start + size < len(found) else {}
        return reply(
            {
                "type": "conversation.list", "conversations": self.page(found, start, size), "total_count": len(found),
                "pages": {"type": "pages", "page": 1, "per_page": size, **more},
            }
        )  # fmt: skip
