"""A vendor's API on loopback, shaped as its documentation shows it: what all of them have in common."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import ClassVar
from urllib.parse import quote, urlencode

from aiohttp import web

from tests.plugins.presets.story import NEWS, NINE, STORY, Case
from tests.plugins.presets.wire import SECRET, Json, Seen, moment, reply


class Api:
    """A vendor's API that holds the records of the story. A vendor says how it words them, and how it is asked.

    ``first`` is what the preset makes of them, ``then`` what it makes of what :meth:`edit` changed and added;
    ``rejected`` are the keys of records that become none, with the field at fault.
    """

    preset: ClassVar[str]
    listing: ClassVar[str]
    """the path of the request that pages"""
    small: ClassVar[Json] = {}
    """options under ``rest:`` that make pages of two"""
    options: ClassVar[Mapping[str, Json]] = {"token": SECRET}
    """``with:``, as a user of this API would write it, besides the address"""
    credential: ClassVar[tuple[str, str]] = ("Authorization", f"Bearer {SECRET}")
    """the header that each request carries"""
    story: ClassVar[Sequence[Case]] = STORY
    news: ClassVar[Case] = NEWS
    clock: ClassVar[str]
    """the field of a record with the time of its last change"""
    edited: ClassVar[Json]
    """fields of the first record that change"""
    prefix: ClassVar[str]
    """what a reference begins with"""
    kind: ClassVar[tuple[str, str]]
    """type and source of the activities"""
    edited_details: ClassVar[Json] = {"status": "Closed"}
    """the additional information that follows from ``edited``"""
    rejected: ClassVar[Mapping[str, str]] = {"3": "account"}
    pause: ClassVar[int] = 7
    """seconds that :meth:`limit` asks to wait for; 0: the vendor does not say"""

    def __init__(self) -> None:
        self.url = ""
        self.seen: list[Seen] = []
        self.served = 0
        """records on all pages of the listing"""
        self.limits_left = 0
        self.records = [self.record(case) for case in self.story]

    def record(self, case: Case) -> Json:
        """The case as this API gives it."""
        raise NotImplementedError

    def details(self, case: Case) -> Json:
        """The additional information that the preset finds in it."""
        raise NotImplementedError

    def answer(self, seen: Seen) -> web.Response:
        """To a request that is allowed."""
        raise NotImplementedError

    @property
    def given(self) -> Mapping[str, Json]:
        return {"url": self.url, **self.options}

    @property
    def wrong(self) -> Mapping[str, str]:
        """What is given in place of a right credential."""
        return {name: "wrong" for name, value in self.options.items() if value == SECRET}

    @property
    def first(self) -> Sequence[Json]:
        return [self.activity(case) for case in self.story if case.account]

    @property
    def then(self) -> Sequence[Json]:
        return [self.activity(self.story[0], **self.edited_details), self.activity(self.news)]

    def activity(self, case: Case, **details: Json) -> Json:
        kind, source = self.kind
        return {
            "reference": f"{self.prefix}{case.number}", "account": case.account, "type": kind, "source": source,
            "happened_at": case.begun.replace("T", " "),
            "additional_information_object": {**self.details(case), **details},
            **({"contact": case.contact} if case.contact else {}),
        }  # fmt: skip

    def allowed(self, seen: Seen) -> bool:
        """Does the request carry the credential?"""
        name, value = self.credential
        return seen.headers.get(name) == value

    def limit(self) -> web.Response:
        """Too many requests, in the vendor's words."""
        return self.too_many({"message": "too many requests"})

    def too_many(self, words: Json, **headers: str) -> web.Response:
        return reply(words, status=429, headers={"Retry-After": str(self.pause), **headers})

    @property
    def reset(self) -> str:
        """When a limit ends, by the server's own clock, to which the header Date belongs."""
        return str(int(time.time()) + self.pause + 1)

    def edit(self) -> None:
        """Change the first record, and add one."""
        self.records[0] = self.record(replace(self.story[0], changed=NINE))
        self.fields(self.records[0]).update(self.edited)
        self.records.append(self.record(self.news))

    def fields(self, record: Json) -> Json:
        """Where the fields of a record stand: the record itself, or a part of it."""
        return record

    def changed(self, record: Json) -> datetime:
        return moment(self.fields(record)[self.clock])

    def since(self, start: datetime) -> list[Json]:
        """What changed then or later, in that order."""
        return sorted((each for each in self.records if self.changed(each) >= start), key=self.changed)

    @property
    def pages(self) -> list[Seen]:
        """The requests that asked for a page of the listing."""
        return [each for each in self.seen if each.path.startswith(self.listing)]

    async def respond(self, request: web.Request) -> web.Response:
        body = await request.json() if request.content_type == "application/json" else dict(await request.post())
        seen = Seen(
            method=request.method, path=request.path, query=request.query.copy(), headers=request.headers, body=body
        )
        self.seen.append(seen)
        if not self.allowed(seen):
            return reply({"message": "not authorised"}, status=401)
        if self.limits_left and seen.path == self.listing:
            self.limits_left -= 1
            return self.limit()
        return self.answer(seen)

    def page(self, found: Sequence[Json], start: int, size: int) -> tuple[Sequence[Json], int | None]:
        """One page, counted, and where the next one begins; ``None``: it was the last."""
        page, following = found[start : start + size], start + size
        self.served += len(page)
        return page, following if following < len(found) else None

    def numbered_page(self, seen: Seen, found: Sequence[Json]) -> web.Response:
        """The page with the number that was asked for, and a Link header to the next one."""
        size, number = int(seen.query["per_page"]), int(seen.query.get("page", 1))
        page, following = self.page(found, (number - 1) * size, size)
        links = f'<{self.address(seen, page=number + 1)}>; rel="next", <{self.url}>; rel="first"'
        return reply(page, headers={"Link": links} if following else {})

    def address(self, seen: Seen, **changes: Json) -> str:
        """The same request with other parameters."""
        return f"{self.url}{seen.path}?{urlencode({**seen.query, **changes}, quote_via=quote)}"


@contextlib.asynccontextmanager
async def serving(api: Api) -> AsyncIterator[Api]:
    """The API on a port of its own."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", api.respond)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        api.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield api
    finally:
        await runner.cleanup()
