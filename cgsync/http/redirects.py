"""Redirects: followed for what only reads, within its origin, and not for ever."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from cgsync.errors import SourceMisconfigured
from cgsync.http.messages import SAFE, Request, Response

MOST = 5
STATUSES = (301, 302, 303, 307, 308)


async def followed(request: Request, send: Callable[[Request], Awaitable[Response]], *, allowed: bool) -> Response:
    """The answer at the end of the redirects; raises :class:`SourceMisconfigured` for one that is not followed."""
    for _ in range(MOST + 1):
        response = await send(request)
        if response.status not in STATUSES:
            return response
        request = replace(request, url=_target(request, response, allowed=allowed))
    raise SourceMisconfigured(f"{response.url}: more than {MOST} redirects")


def _target(request: Request, response: Response, *, allowed: bool) -> str:
    from yarl import URL

    url = URL(request.url)
    try:
        target = url.join(URL(response.headers.get("location", "")))
        same = target.origin() == url.origin()
    except ValueError:
        raise SourceMisconfigured(f"{response.url} answered {response.status} without a usable address") from None
    if allowed and same and request.method in SAFE:
        return str(target)
    raise SourceMisconfigured(
        f"{response.url} answered {response.status}, a redirect to {target.with_query(None).with_user(None)}",
        hint="put the final address into the configuration",
    )
