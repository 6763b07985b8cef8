"""Lets somebody see what passes over the wire, for a preview."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cgsync.errors import SourceUnavailable
from cgsync.http.broken import Broken
from cgsync.http.messages import Request, Response, Wire
from cgsync.http.redaction import Redaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request and what came of it, without secrets: an answer, or in words why there is none."""

    request: Request
    response: Response | None = None
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Watched:
    """Calls ``callback`` after each exchange. Given as ``wire=`` of :func:`cgsync.http.open_http`."""

    callback: Callable[[Exchange], None]

    def __call__(self, wire: Wire, redaction: Redaction) -> Wire:
        return _Watching(wire, redaction, self.callback)


class _Watching:
    def __init__(self, wire: Wire, redaction: Redaction, callback: Callable[[Exchange], None]) -> None:
        self._wire = wire
        self._redaction = redaction
        self._callback = callback

    async def exchange(self, request: Request) -> Response:
        try:
            response = await self._wire.exchange(request)
        except (Broken, SourceUnavailable) as error:
            failure = self._redaction(error.message)
            self._callback(Exchange(request=self._redaction.request(request), failure=failure))
            raise
        shown = self._redaction.response(response, login=request.login)
        self._callback(Exchange(request=self._redaction.request(request), response=shown))
        return response
