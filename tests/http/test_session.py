"""HTTP for sources against a real server."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from datetime import timedelta

import pytest
from aiohttp import web

from cgsync.errors import SourceMisconfigured, SourceUnavailable
from cgsync.http import Caps, Credential, api_key, basic, bearer, open_http
from cgsync.http.auth import Place
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


@pytest.mark.parametrize("place", ["header", "query"])
async def test_a_parameter_arrives_as_it_was_meant(site: Site, url: str, place: Place) -> None:
    """It is written once, and never quoted twice on its way, nor by a redirect."""
    nasty = "a+b&c=d%20%2B ü/?#;'\""
    site.handler = answers(
        lambda: web.Response(status=302, headers={"Location": site.requests[0].raw_path}),
        lambda: web.Response(text="{}"),
    )
    async with open_http(origin=url, auth=api_key("key", Secret(nasty), place), redirects=True) as http:
        await http.get(url + "x%20y?first=1%2B1", params={"q": nasty, "ids": ["1", "2"]})
    for request in site.requests:
        assert request.path == "/x y"
        assert request.query["first"] == "1+1"
        assert request.query["q"] == nasty
        assert request.query.getall("ids") == ["1", "2"]
        assert request.query.getall("key", []) == ([nasty] if place == "query" else [])


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


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_bomb_is_stopped_while_it_comes(site: Site, url: str, encoding: str) -> None:
    """One that has no end: it is cut off while it comes."""

    async def bomb(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Encoding": encoding})
        await response.prepare(request)
        machine = zlib.compressobj(9, zlib.DEFLATED, 31 if encoding == "gzip" else 15)
        while True:
            await response.write(machine.compress(b"\0" * 300_000) + machine.flush(zlib.Z_SYNC_FLUSH))
            await asyncio.sleep(0)

    site.handler = bomb
    async with open_http(caps=Caps(expanded=1_000_000)) as http:
        with pytest.raises(SourceUnavailable, match=r"expands to more than 1000000 bytes.*smaller pages"):
            await http.get(url)


async def test_an_encoding_that_was_not_asked_for_is_said(site: Site, url: str) -> None:
    site.handler = answers(lambda: web.Response(body=b"x", headers={"Content-Encoding": "br"}))
    async with open_http() as http:
        with pytest.raises(SourceUnavailable, match="content encoding 'br' was not asked for"):
            await http.get(url)


async def test_an_encoded_answer_without_a_body_is_none_to_expand(site: Site, url: str) -> None:
    site.handler = answers(lambda: web.Response(headers={"Content-Encoding": "gzip"}))
    async with open_http() as http:
        assert (await http.request("HEAD", url)).body == b""
        assert (await http.get(url)).body == b""


async def test_a_header_that_came_twice_loses_nothing(site: Site, url: str) -> None:
    async def twice(request: web.Request) -> web.Response:
        response = web.Response()
        response.headers.add("Link", "</2>; rel=next")
        response.headers.add("Link", "</1>; rel=prev")
        return response

    site.handler = twice
    async with open_http() as http:
        assert (await http.get(url)).headers["link"] == "</2>; rel=next, </1>; rel=prev"


async def test_a_cookie_is_not_kept(site: Site, url: str) -> None:
    site.handler = answers(lambda: web.Response(headers={"Set-Cookie": "a=b"}))
    async with open_http() as http:
        await http.get(url)
        await http.get(url)
    assert "Cookie" not in site.requests[1].headers


async def test_it_takes_note_of_the_time_that_an_answer_took(site: Site, url: str) -> None:
    async def late(request: web.Request) -> web.Response:
        await asyncio.sleep(0.2)
        return web.Response()

    site.handler = late
    async with open_http() as http:
        assert timedelta(seconds=0.15) < (await http.get(url)).elapsed < timedelta(seconds=30)


async def test_an_echo_of_what_we_sent_is_not_in_an_error(site: Site, url: str) -> None:
    async def echo(request: web.Request) -> web.Response:
        return web.Response(status=403, text=f"{request.query['sig']} {request.headers['X-Api-Key']}")

    site.handler = echo
    async with open_http(origin=url, headers={"X-Api-Key": CANARY}) as http:
        with pytest.raises(SourceMisconfigured, match=r"answered 403: text/plain, “\*{8} \*{8}”") as caught:
            (await http.get(url, params={"sig": CANARY})).check()
    assert CANARY not in repr(caught.value)


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
