"""By which names we may be asked: a page in somebody's browser that rebinds its own name to us is not answered."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from cgsync.config import WebConfig


def allowed(header: str, wanted: WebConfig) -> bool:
    """Whether the ``Host`` of a request is one of ours."""
    try:
        name = urlsplit(f"//{header}").hostname
    except ValueError:
        return False
    if not name:
        return False
    return name in {"localhost", wanted.host.lower(), *(each.lower() for each in wanted.hosts)} or _is_loopback(name)


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
