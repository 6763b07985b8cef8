"""Through a real proxy."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer

from cgsync.errors import SourceMisconfigured, SourceUnavailable
from cgsync.http import OAuth2, Retry, Tls, Tokens, bearer, open_http
from cgsync.secrets import Secret
from cgsync.testing import FakeClock
from tests.http.certificates import Authority
from tests.http.proxy import Proxy
from tests.http.site import Site

CANARY = "pass-canary"
ONCE = Retry(attempts=1)


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    async with Proxy().running() as running:
        yield running


async def test_http_goes_through_it(site: Site, url: str, proxy: Proxy) -> None:
    async with open_http(proxy=proxy.url) as http:
        assert (await http.get(url)).status == 200
    assert proxy.heads[0].startswith(f"GET {url} HTTP/1.1")
    assert len(site.requests) == 1


async def test_https_goes_through_a_tunnel_that_shows_no_credential(site: Site, proxy: Proxy, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    server = TestServer(site.app, scheme="https")
    await server.start_server(ssl=authority.server())
    url = str(server.make_url("/"))
    async with open_http(proxy=proxy.url, tls=Tls(ca=authority.ca), origin=url, auth=bearer(Secret(CANARY))) as http:
        assert [(await http.get(url)).status for _ in range(2)] == [200, 200]
    (head,) = proxy.heads
    assert head.startswith(f"CONNECT 127.0.0.1:{server.port} HTTP/1.1")
    await server.close()
    assert CANARY not in head
    assert site.requests[0].headers["Authorization"] == f"Bearer {CANARY}"


async def test_token_requests_go_through_it_too(base: str, proxy: Proxy, quick: FakeClock) -> None:
    tokens = Tokens(OAuth2(url=base + "token", client_id="me", clock=quick), clock=quick)
    async with open_http(proxy=proxy.url, origin=base, auth=tokens, clock=quick) as http:
        await http.get(base + "api")
    assert [head.split(" ")[:2] for head in proxy.heads] == [["POST", base + "token"], ["GET", base + "api"]]


async def test_it_is_told_who_we_are(site: Site, url: str, proxy: Proxy) -> None:
    proxy.login = f"me:{CANARY}"
    async with open_http(proxy=Secret(proxy.url.replace("://", f"://me:{CANARY}@"))) as http:
        assert (await http.get(url)).status == 200
    assert "Proxy-Authorization" not in site.requests[0].headers or CANARY not in str(site.requests[0].headers)


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_one_that_refuses_us_is_for_a_person(site: Site, url: str, proxy: Proxy, scheme: str) -> None:
    proxy.login = "me:other"
    wrong = proxy.url.replace("://", f"://me:{CANARY}@")
    async with open_http(proxy=wrong, retry=ONCE) as http:
        if scheme == "https":
            with pytest.raises(SourceMisconfigured, match="the proxy refuses us: the proxy answered 407") as caught:
                await http.get(url.replace("http://", "https://"))
            assert CANARY not in f"{caught.value!r}{caught.value.__cause__!r}"
        else:
            with pytest.raises(SourceMisconfigured, match="answered 407"):
                (await http.get(url)).check()


async def test_one_that_is_not_there_is_named_as_such(url: str, unused_tcp_port: int) -> None:
    async with open_http(proxy=f"http://me:{CANARY}@127.0.0.1:{unused_tcp_port}", retry=ONCE) as http:
        with pytest.raises(SourceUnavailable, match="no connection to the proxy: ") as caught:
            await http.get(url)
    assert CANARY not in f"{caught.value!r}{caught.value.__cause__!r}"


async def test_one_that_says_nothing_is_not_waited_for_long(url: str, proxy: Proxy) -> None:
    proxy.mute = True
    async with open_http(proxy=proxy.url, retry=ONCE, connect_timeout=timedelta(seconds=0.3)) as http:
        with pytest.raises(SourceUnavailable, match="no answer in time"):
            await http.get(url.replace("http://", "https://"))
