"""What a source said over HTTP while somebody watched, in a form that can be shown."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from cgsync.http import Exchange, Wrap

LARGEST = 2048
"""Bytes of a request's body that are shown."""
MOST = 100
"""Requests that are kept; what is beyond is counted."""
LIMITS = ("retry-after", "ratelimit", "x-ratelimit", "x-rate-limit")
"""Beginnings of the headers by which an API tells how much is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request and the head of its answer, without secrets. ``failure``: why there is no answer."""

    method: str
    url: str
    body: str = ""
    status: int = 0
    content_type: str = ""
    size: int = 0
    """bytes of the answer, expanded"""
    limits: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    failure: str = ""

    def words(self) -> str:
        """In one line, for ``check --online``."""
        address = urlsplit(self.url)._replace(query="", fragment="").geturl()
        said = self.failure or f"{self.status}{f' {self.content_type}' if self.content_type else ''}, {self.size} bytes"
        return f"{self.method} {address} → {said}"


class Traffic:
    """Remembers all that passes."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.more = 0

    def watch(self) -> Wrap:
        """What is put around the wire."""
        from cgsync.http.watched import Watched

        return Watched(self._remember)

    def words(self) -> str:
        """The last request in one line, and how many there were; empty when there was none."""
        if not self.asked:
            return ""
        count = len(self.asked) + self.more
        return f"{self.asked[-1].words()}{f', the last of {count} requests' if count > 1 else ''}"

    def _remember(self, exchange: Exchange) -> None:
        if len(self.asked) == MOST:
            self.more += 1
        else:
            self.asked.append(_asked(exchange))


def _asked(exchange: Exchange) -> Asked:
    request, response = exchange.request, exchange.response
    sent = Asked(method=request.method, url=request.url, body=_shown(request.body or b""), failure=exchange.failure)
    if response is None:
        return sent
    headers = {name.lower(): value for name, value in response.headers.items()}
    return replace(
        sent,
        status=response.status,
        content_type=headers.get("content-type", ""),
        size=len(response.body),
        limits={name: value for name, value in headers.items() if name.startswith(LIMITS)},
        seconds=round(response.elapsed.total_seconds(), 3),
    )


def _shown(body: bytes) -> str:
    return body.decode("utf-8", "replace") if len(body) <= LARGEST else f"({len(body)} bytes)"
