"""A wire outside of a session."""

from __future__ import annotations

from cgsync.http.messages import Request, Response
from cgsync.http.settings import Line


class Alone:
    """A :class:`cgsync.http.Wire` that opens a connection for each request, and closes it."""

    def __init__(self, line: Line) -> None:
        self._line = line

    async def exchange(self, request: Request) -> Response:
        from cgsync.http.network import open_network  # a quarter of a second: not for commands that need no network

        async with open_network(self._line) as network:
            return await network.exchange(request)
