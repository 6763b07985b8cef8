"""The address of a request, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING, TypeAlias

from cgsync.errors import SourceMisconfigured

if TYPE_CHECKING:
    from yarl import URL

Params: TypeAlias = "Mapping[str, str | int | Sequence[str]] | Sequence[tuple[str, str]] | None"


def address(url: str, params: Params = None) -> URL:
    """The URL with ``params`` behind its own. Raises :class:`SourceMisconfigured` for what is none of http or https."""
    from yarl import URL

    try:
        found = URL(url)
    except ValueError:
        raise SourceMisconfigured(f"{url.partition('?')[0]!r} is not an address") from None
    if found.scheme not in ("http", "https") or not found.host:
        raise SourceMisconfigured(f"{url.partition('?')[0]!r} is not an address of http or https")
    return found.extend_query(params) if params else found


def is_loopback(host: str) -> bool:
    """Whether a host, by name or address, is this machine, so that nobody on the way can listen."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
