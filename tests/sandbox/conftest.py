"""A running sandbox, and a client that is logged in."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from cgsync.sandbox import Sandbox


class Client:
    """Speaks to a sandbox as a sender would, and looks into it."""

    def __init__(self, sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
        self.sandbox, self.session = sandbox, session
        self.token = ""

    async def login(self, secret: str = "sandbox") -> tuple[int, Any]:
        form = {"grant_type": "client_credentials", "client_id": "sandbox", "client_secret": secret}
        async with self.session.post(self.sandbox.token_url, data=form) as answer:
            body = await answer.json()
            self.token = body.get("access_token", "")
            return answer.status, body

    async def put(self, body: Any, **headers: str) -> tuple[int, Any]:
        sent = {"json": body} if not isinstance(body, bytes) else {"data": io.BytesIO(body)}
        words = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **headers}
        async with self.session.put(self.sandbox.url, headers=words, allow_redirects=False, **sent) as answer:
            return answer.status, await answer.json(content_type=None)

    async def get(self, path: str, **words: Any) -> Any:
        async with self.session.get(self.sandbox.page + "api/" + path, params=words) as answer:
            return await answer.json()

    async def fault(self, **words: Any) -> tuple[int, Any]:
        async with self.session.post(self.sandbox.page + "api/faults", json=words) as answer:
            return answer.status, await answer.json()


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as session:
        session._retry_connection = False  # else aiohttp repeats a PUT by itself after a reset
        client = Client(sandbox, session)
        await client.login()
        yield client


@pytest.fixture
def activity() -> dict[str, Any]:
    return {
        "reference": "shop-1",
        "account": "Acme",
        "contact": "ada@acme.example",
        "type": "Order",
        "source": "Shop",
        "happened_at": "2025-03-04 10:00:00",
        "additional_information_object": {"subject": "Two cups", "status": "open"},
    }
