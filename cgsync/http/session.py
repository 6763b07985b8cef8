"""An open session: a request is tried again while its failure is a passing one and there is patience left.

What one attempt passes on its way stands in :mod:`cgsync.http.attempts`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cgsync.api import Clock
from cgsync.errors import SourceUnavailable
from cgsync.http.address import Params, address
from cgsync.http.attempts import Attempts
from cgsync.http.messages import SAFE, Judge, Request, Response
from cgsync.http.settings import Retry


class Http:
    """An open session; see :func:`open_http`."""

    def __init__(self, attempts: Attempts, *, retry: Retry, clock: Clock, random: Callable[[], float]) -> None:
        self._attempts = attempts
        self._retry = retry
        self._clock = clock
        self._random = random

    async def get(self, url: str, *, params: Params = None, headers: Mapping[str, str] | None = None) -> Response:
        """GET; see :meth:`request`."""
        return await self.request("GET", url, params=params, headers=headers)

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Params = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        judge: Judge | None = None,
        repeatable: bool | None = None,
    ) -> Response:
        """The answer, whatever its status: see :meth:`Response.check`.

        ``judge`` says what an answer means, where its status does not. What is ``repeatable`` (by default GET, HEAD
        and OPTIONS) is tried again while the failure is a passing one and the waiting stays within the patience.
        Outside of the session's origin, only ``headers`` that cannot hold a key are sent. Raises
        :class:`SourceUnavailable` (``retry_after`` set if the server asked for more) or :class:`SourceMisconfigured`.
        """
        request = Request(method=method, url=str(address(url, params)), headers=headers or {}, body=body)
        repeats = method in SAFE if repeatable is None else repeatable
        patience = self._retry.patience.total_seconds() if repeats else 0.0
        for attempt in range(self._retry.attempts):
            result = await self._attempts.attempt(request, judge)
            if isinstance(result, Response):
                return result
            wait = self._wait(result, attempt)
            if wait > patience or attempt + 1 == self._retry.attempts:
                raise result
            patience -= wait
            await self._clock.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    def _wait(self, failure: SourceUnavailable, attempt: int) -> float:
        """Seconds: what the server asked for, else the backoff."""
        asked = failure.retry_after
        return self._retry.wait(attempt, self._random()) if asked is None else asked.total_seconds()
