"""Ask for one answer: send, judge, decode, count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from cgsync.api import MAX_RAW, Log, SourceMisconfigured, SourceUnavailable, Unreadable
from cgsync.formats import Body, BodyOptions, Malformed, Undecodable, Workers
from cgsync.http import Http, Response
from cgsync_rest.page import Answer
from cgsync_rest.pagers import origin, shown
from cgsync_rest.request import Asked
from cgsync_rest.rules import Expired, Rules

GONE = (400, 404, 410, 422)
"""What a token of an earlier run is refused with."""

ABSENT = (404, 410)


class Enough(Exception):
    """``max_requests`` of this run are through."""


@dataclass(slots=True, kw_only=True)
class Client:
    """The session of one source.

    ``requests`` counts those of the run under way, ``most`` bounds them; ``answers`` counts what came, for ever.
    """

    http: Http
    workers: Workers
    decoding: BodyOptions
    rules: Rules
    log: Log
    graphql: bool = False
    most: int | None = None
    requests: int = 0
    answers: int = 0

    async def answer(self, asked: Asked, *, resumed: bool = False, may_miss: bool = False) -> Answer:
        """The answer, decoded. Raises :class:`Expired`, :class:`Enough`, or an error of the source.

        ``resumed``: the request goes on with the token of an earlier run, which the API may have forgotten.
        ``may_miss``: that there is no such thing is an answer like any other.
        """
        response = await self.send(asked)
        if resumed and response.status in GONE and not self.rules.what(response):
            raise Expired(f"{response.url} answered {response.status} to a token of an earlier run")
        missed = may_miss and response.status in ABSENT and not self.rules.what(response)
        if missed or not self.rules.accept(response):
            return _answer(asked, response, None, passed_over=True)
        body = await self.decode(response)
        if self.graphql:
            _check_graphql(body.document, response)
        if body.cleaned:
            self.log.warning("removed characters that cannot be stored", count=body.cleaned)
        rejects = [unreadable(each, response) for each in body.rejects]
        return _answer(asked, response, body.document, rejects=rejects)

    async def send(self, asked: Asked) -> Response:
        if self.most is not None and self.requests >= self.most:
            raise Enough
        self.requests += 1
        response = await self.http.request(
            asked.method,
            asked.url,
            headers=asked.headers,
            body=asked.body,
            judge=self.rules.judge,
            repeatable=True,
        )
        self.answers += 1
        return response

    async def decode(self, response: Response) -> Body:
        """Raises :class:`SourceUnavailable` that says what came instead."""
        kind = response.headers.get("content-type", "")
        name = response.url.rpartition("/")[2]
        if not response.body.strip():
            return Body(document=None, format="json")
        try:
            if self.decoding.format in ("auto", "json", "jsonl", "csv") and "html" in kind.lower():
                raise Malformed("it is a page for people", raw=response.body)
            return await self.workers.decode(response.body, self.decoding, content_type=kind, name=name)
        except Malformed as error:
            raise SourceUnavailable(
                f"{response.url} answered {response.status}, but it cannot be read: {error}; it is {response.seen()}",
                hint="a login page, a proxy, or a cut answer; `decode: format` says what it should be",
            ) from None


def _answer(
    asked: Asked,
    response: Response,
    document: Any,
    *,
    rejects: Sequence[Unreadable] = (),
    passed_over: bool = False,
) -> Answer:
    return Answer(
        url=asked.url,
        status=response.status,
        headers=response.headers,
        document=document,
        date=date_of(response.headers),
        rejects=rejects,
        passed_over=passed_over,
    )


def date_of(headers: Mapping[str, str]) -> datetime | None:
    """The server's time, whole seconds; ``None`` where it does not tell."""
    try:
        moment = parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError):
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def unreadable(item: Undecodable, response: Response) -> Unreadable:
    return Unreadable(position=f"{shown(response.url)} {item.reason}"[:200], raw=item.raw[:MAX_RAW], reason=item.reason)


def _check_graphql(document: Any, response: Response) -> None:
    """GraphQL says with status 200 that it failed."""
    errors = document.get("errors") if isinstance(document, Mapping) else None
    if errors:
        messages = [str(each.get("message", each)) if isinstance(each, Mapping) else str(each) for each in errors]
        raise SourceUnavailable(f"{response.url}: GraphQL: {'; '.join(messages)[:300]}")


def origin_of(url: str) -> str:
    """The address of which scheme, host and port count. Raises :class:`SourceMisconfigured` for a template there."""
    scheme, separator, rest = url.partition("://")
    host = rest.partition("/")[0].partition("?")[0]
    if not separator or "{" in scheme or "{" in host or not host:
        raise SourceMisconfigured(f"url: {shown(url)!r} does not begin with an address", hint="https://host/…")
    if origin(url).endswith(":-1"):
        raise SourceMisconfigured(f"url: {shown(url)!r} has no usable port")
    return f"{scheme}://{host}"
