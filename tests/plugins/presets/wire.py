"""What is said between a preset and an API: requests as they come, and the answers that vendors share."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

Json = Any
SECRET = "correct-horse-battery"  # the one credential that is right, whatever the vendor calls it
PAGE = 2
"""Records on a page, where the vendor may give fewer than were asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request as it came."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Json


def reply(body: Json, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response(body, status=status, headers=headers)


def missing() -> web.Response:
    return reply({"message": "not found"}, status=404)


def basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
