"""What goes over the wire and what comes back, and the one seam between them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum, auto
from html import unescape
from typing import Any, Protocol, TypeAlias

import msgspec

from cgsync.errors import SourceMisconfigured, SourceUnavailable

SAFE = ("GET", "HEAD", "OPTIONS")
"""Methods that only read."""
PASSING = (408, 425, 429, 500, 502, 503, 504)
SHOWN = 100
"""Characters of a body that an error repeats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request, whole: ``url`` with its query. ``login``: both bodies are secrets, as those of a token endpoint."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    login: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer, whole. ``url`` is without its query, ``headers`` do not care about case, ``body`` is expanded.

    ``elapsed`` is the time from the first byte sent to the last one received. ``redact`` takes the secrets out of
    what an error repeats of the body.
    """

    url: str
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    elapsed: timedelta = timedelta(0)
    redact: Callable[[str], str] = field(default=str, repr=False, compare=False)

    def json(self) -> Any:
        """The body as JSON; raises :class:`SourceUnavailable` that says what is there instead (a login page)."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            words = f"{self.url} answered {self.status} with a body that is no JSON: {error}; it is {self.seen()}"
            raise SourceUnavailable(words) from None

    def check(self) -> Response:
        """Itself, if it is a 2xx; else the error of the source that it stands for."""
        if 200 <= self.status < 300:
            return self
        words = f"{self.url} answered {self.status}: {self.seen()}"
        if self.status in PASSING or self.status >= 500:
            raise SourceUnavailable(words)
        raise SourceMisconfigured(words, hint=_HINTS.get(self.status, ""))

    def seen(self) -> str:
        """The content type, and the title of a page or the first 100 printable characters, for a person."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip() or "of no content type"
        text = self.redact(self.body[: 64 * 1024].decode("utf-8", "replace"))
        title = re.search(r"<title[^>]*>([^<]*)", text, re.IGNORECASE)
        shown = " ".join("".join(each if each.isprintable() else " " for each in _head(title, text)).split())
        return f"{kind}, {'titled ' if title else ''}“{shown[:SHOWN]}”" if shown else f"{kind}, empty"


def _head(title: re.Match[str] | None, text: str) -> str:
    return unescape(title[1]) if title else text[: 4 * SHOWN]


class Wire(Protocol):
    """Everything that a session says goes through one of these, token requests too."""

    async def exchange(self, request: Request) -> Response:
        """Send it once. Raises :class:`cgsync.http.Broken` when there is no answer, :class:`SourceUnavailable`."""


class Verdict(Enum):
    """What an answer means for the session."""

    FINAL = auto()
    """give it back"""
    AGAIN = auto()
    """a passing failure: try again"""
    THROTTLE = auto()
    """too many requests: slow down, try again"""
    REAUTHENTICATE = auto()
    """the credential ended: take a new one, once"""


Judge: TypeAlias = Callable[[Response], Verdict | None]
"""``None``: as its status says."""


def judged(response: Response, judge: Judge | None) -> Verdict:
    """What the judge says, else what is usual."""
    return (judge(response) if judge is not None else None) or usual(response)


def usual(response: Response) -> Verdict:
    """What the status alone says."""
    if response.status == 429:
        return Verdict.THROTTLE
    if response.status == 401:
        return Verdict.REAUTHENTICATE
    return Verdict.AGAIN if response.status in PASSING else Verdict.FINAL


_HINTS = {
    401: "check the credentials",
    403: "the credentials are known but not allowed to read this",
    404: "check the address",
}
