"""A receiver whose certificate nobody vouches for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from cgsync.clock import SystemClock
from cgsync.delivery import Broken, Kind, Transport, open_transport
from cgsync.http import Tokens, client_credentials
from cgsync.secrets import Secret
from tests.http.certificates import Authority


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture
async def server(authority: Authority) -> AsyncIterator[TestServer]:
    async def put(request: web.Request) -> web.Response:
        return web.Response(text="{}")

    app = web.Application()
    app.router.add_put("/", put)
    server = TestServer(app, scheme="https")
    await server.start_server(ssl=authority.server())
    yield server
    await server.close()


@pytest.fixture
async def tokens() -> AsyncIterator[Tokens]:
    async def token(request: web.Request) -> web.Response:
        return web.json_response({"access_token": "token"})

    app = web.Application()
    app.router.add_post("/", token)
    async with TestServer(app) as server:
        yield client_credentials(str(server.make_url("/")), "me", Secret("secret"), clock=SystemClock())


def wire(server: TestServer, tokens: Tokens, ca_file: Path | None) -> AbstractAsyncContextManager[Transport]:
    return open_transport(str(server.make_url("/")), tokens, connections=1, ca_file=ca_file)


async def admit() -> None:
    """No pace."""


async def test_it_is_refused_before_anything_is_sent(server: TestServer, tokens: Tokens) -> None:
    async with wire(server, tokens, None) as transport:
        with pytest.raises(Broken) as caught:
            await transport.put(b"{}", admit)
    assert caught.value.kind is Kind.CERTIFICATE
    assert not caught.value.sent


async def test_ca_file_vouches_for_it(server: TestServer, tokens: Tokens, authority: Authority) -> None:
    async with wire(server, tokens, authority.ca) as transport:
        assert (await transport.put(b"{}", admit)).status == 200
