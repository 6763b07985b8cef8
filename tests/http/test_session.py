"""HTTP for sources against a real server."""

from __future__ import annotations

import asyncio
import gzip
from datetime import timedelta

import pytest
from aiohttp import web

from cgsync.errors import SourceMisconfigured, SourceUnavailable
from cgsync.http import Caps, Credential, basic, bearer, open_http
from cgsync.secrets import Secret
from tests.http.site import Site, answers

CANARY = "canary-token"


async def test_an_answer_is_whole_and_decoded(site: Site, url: str) -> None:
    body = gzip.compress(b'{"tickets": []}')
    site.handler = answers(lambda: web.Response(body=body, headers={"Content-Encoding": "gzip"}))
    async with open_http() as http:
        response = await http.get(url + "tickets", params={"page": 2})
    assert response.json() == {"tickets": []}
    assert site.requests[0].query == {"page": "2"}


async def test_the_credential_goes_to_its_origin_only(site: Site, url: str) -> None:
    site.handler = answers(lambda: web.Response(text="{}"))
    other = url.replace("127.0.0.1", "localhost")
    async with open_http(origin=url, auth=bearer(Secret(CANARY)), headers={"X-API-Key": CANARY}) as http:
        await http.get(url)
        await http.get(other)
    own, foreign = (request.headers for request in site.requests)
    assert own["Authorization"] == f"Bearer {CANARY}"
    assert CANARY not in str(dict(foreign))


async def test_a_credential_without_an_origin_is_refused() -> None:
    with pytest.raises(ValueError, match="origin"):
        async with open_http(auth=basic("a", Secret("b"))):
            pass


async def test_a_redirect_is_an_error_that_names_the_address(site: Site, url: str) -> None:
    site.handler = answers(lambda: web.Response(status=302, headers={"Location": "/new?key=1"}))
    async with open_http() as http:
        with pytest.raises(SourceMisconfigured, match="/new") as caught:
            await http.get(url)
    assert "key=1" not in str(caught.value)


async def test_redirects_are_followed_within_the_origin_when_wanted(site: Site, url: str) -> None:
    site.handler = answers(
        lambda: web.Response(status=302, headers={"Location": "/new"}), lambda: web.Response(text="{}")
    )
    async with open_http(redirects=True) as http:
        assert (await http.get(url)).url.endswith("/new")


async def test_a_redirect_elsewhere_is_never_followed(site: Site, url: str) -> None:
    elsewhere = url.replace("127.0.0.1", "localhost")
    site.handler = answers(lambda: web.Response(status=302, headers={"Location": elsewhere}))
    async with open_http(redirects=True, origin=url, auth=bearer(Secret(CANARY))) as http:
        with pytest.raises(SourceMisconfigured):
            await http.get(url)
    assert len(site.requests) == 1


async def test_passing_failures_are_tried_again(site: Site, url: str) -> None:
    site.handler = answers(
        lambda: web.Response(status=503, headers={"Retry-After": "0"}), lambda: web.Response(text="[1]")
    )
    async with open_http() as http:
        assert (await http.get(url)).json() == [1]


async def test_a_long_wait_is_left_to_the_core(site: Site, url: str) -> None:
    site.handler = answers(lambda: web.Response(status=429, headers={"Retry-After": "120"}))
    async with open_http() as http:
        with pytest.raises(SourceUnavailable) as caught:
            await http.get(url)
    assert caught.value.retry_after == timedelta(seconds=120)
    assert len(site.requests) == 1


async def test_a_post_is_not_repeated(site: Site, url: str) -> None:
    site.handler = answers(lambda: web.Response(status=503))
    async with open_http() as http:
        with pytest.raises(SourceUnavailable):
            await http.request("POST", url, body=b"{}")
    assert len(site.requests) == 1


@pytest.mark.parametrize(("status", "error"), [(404, SourceMisconfigured), (401, SourceMisconfigured)])
async def test_check_says_what_a_status_means(site: Site, url: str, status: int, error: type[Exception]) -> None:
    site.handler = answers(lambda: web.Response(status=status))
    async with open_http() as http:
        with pytest.raises(error, match=str(status)):
            (await http.get(url)).check()


async def test_an_endless_body_stops_at_the_cap(site: Site, url: str) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65_536)

    site.handler = endless
    async with open_http(caps=Caps(received=1_000_000)) as http:
        with pytest.raises(SourceUnavailable, match="larger than 1000000 bytes"):
            await http.get(url)


async def test_a_slow_loris_ends(site: Site, url: str) -> None:
    """One byte now and then keeps any timeout between bytes from ringing."""

    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x")
            await asyncio.sleep(0.02)

    site.handler = drip
    async with open_http(timeout=timedelta(seconds=0.3)) as http:
        with pytest.raises(SourceUnavailable, match="no answer in time"):
            await http.request("POST", url)


async def test_a_401_asks_for_one_new_credential(site: Site, url: str) -> None:
    class Rotating:
        generation = 1

        async def credential(self) -> Credential:
            return Credential(value=Secret(f"Bearer {self.generation}"), generation=self.generation)

        def invalidate(self, generation: int) -> bool:
            self.generation += 1
            return True

    async def picky(request: web.Request) -> web.Response:
        return web.Response(status=200 if request.headers["Authorization"] == "Bearer 2" else 401)

    site.handler = picky
    async with open_http(origin=url, auth=Rotating()) as http:
        assert (await http.get(url)).status == 200
    assert len(site.requests) == 2


async def test_nobody_there_is_unavailable_without_the_secret(unused_tcp_port: int) -> None:
    url = f"http://127.0.0.1:{unused_tcp_port}/?key={CANARY}"
    async with open_http(origin=url, auth=bearer(Secret(CANARY))) as http:
        with pytest.raises(SourceUnavailable, match="no connection") as caught:
            await http.request("POST", url)
    assert CANARY not in f"{caught.value!r} {caught.value} {caught.value.__cause__!r} {caught.value.__context__!r}"


@pytest.mark.parametrize("address", ["http://", "not an address", "ftp://example.com/"])
async def test_what_is_no_address_is_misconfigured(address: str) -> None:
    async with open_http() as http:
        with pytest.raises(SourceMisconfigured):
            await http.request("POST", address)
