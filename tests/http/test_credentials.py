"""Where a credential goes, and where it never does."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st

from cgsync.errors import SourceMisconfigured
from cgsync.http import Auth, Request, api_key, basic, bearer, open_http
from cgsync.http.auth import Place
from cgsync.http.credentials import harmless, overlaid, signed
from cgsync.secrets import Secret
from tests.http.site import Site, answers

CANARY = "canary-key-42"
EVERY_KIND = {
    "basic": basic("me", Secret(CANARY)),
    "bearer": bearer(Secret(CANARY)),
    "header": api_key("X-API-Key", Secret(CANARY)),
    "query": api_key("key", Secret(CANARY), "query"),
    "body": api_key("key", Secret(CANARY), "body"),
}


@pytest.fixture
async def neighbour(site: Site) -> AsyncIterator[str]:
    """The same host, another port."""
    async with TestServer(site.app) as server:
        yield str(server.make_url("/"))


def everything(site: Site) -> str:
    """All that the server was told."""
    return str([(each.path_qs, list(each.headers.items())) for each in site.requests]) + str(site.bodies)


@pytest.mark.parametrize("kind", EVERY_KIND)
async def test_each_kind_arrives(site: Site, url: str, kind: str) -> None:
    async with open_http(origin=url, auth=EVERY_KIND[kind]) as http:
        await http.request("POST", url + "tickets?page=2", body=b"a=1", headers={"Content-Type": FORM})
    (request,) = site.requests
    assert request.query["page"] == "2"
    arrived = {
        "basic": request.headers.get("Authorization"),
        "bearer": request.headers.get("Authorization"),
        "header": request.headers.get("X-API-Key"),
        "query": request.query.get("key"),
        "body": site.bodies[0].decode(),
    }[kind]
    expected = {"basic": "Basic bWU6Y2FuYXJ5LWtleS00Mg==", "bearer": f"Bearer {CANARY}", "body": f"a=1&key={CANARY}"}
    assert arrived == expected.get(kind, CANARY)


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("kind", EVERY_KIND)
@pytest.mark.parametrize("other", ["host", "port", "scheme"])
async def test_no_kind_leaves_its_origin(site: Site, url: str, neighbour: str, kind: str, other: str) -> None:
    """Also not what the plugin itself, or the configuration, sets as a header."""
    elsewhere = {"host": url.replace("127.0.0.1", "localhost"), "port": neighbour, "scheme": url}[other]
    origin = url.replace("http://", "https://") if other == "scheme" else url
    async with open_http(origin=origin, auth=EVERY_KIND[kind], headers={"X-Tenant": CANARY}) as http:
        await http.get(elsewhere, headers={"X-API-Key": CANARY, "Accept": "text/csv"})
    assert len(site.requests) == 1
    assert site.requests[0].headers["Accept"] == "text/csv"
    assert CANARY not in everything(site)


@pytest.mark.parametrize("kind", EVERY_KIND)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_takes_it_elsewhere(site: Site, url: str, neighbour: str, kind: str, status: int) -> None:
    own, other = Site(), site
    own.handler = answers(lambda: web.Response(status=status, headers={"Location": neighbour}))
    async with TestServer(own.app) as server:
        origin = str(server.make_url("/"))
        async with open_http(origin=origin, auth=EVERY_KIND[kind], redirects=True) as http:
            with pytest.raises(SourceMisconfigured, match=rf"{urlsplit(neighbour).port}.*final address") as caught:
                await http.get(origin)
    assert not other.requests
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("kind", EVERY_KIND)
async def test_a_redirect_within_the_origin_has_it_once(site: Site, url: str, kind: str) -> None:
    site.handler = answers(
        lambda: web.Response(status=307, headers={"Location": "/new?page=2"}), lambda: web.Response(text="{}")
    )
    async with open_http(origin=url, auth=EVERY_KIND[kind], redirects=True) as http:
        assert (await http.get(url + "old")).url == url + "new"
    assert site.requests[1].query["page"] == "2"
    assert "key" not in site.requests[1].query or site.requests[1].query.getall("key") == [CANARY]


async def test_a_redirect_of_a_post_is_not_followed(site: Site, url: str) -> None:
    site.handler = answers(lambda: web.Response(status=302, headers={"Location": "/new"}))
    async with open_http(redirects=True) as http:
        with pytest.raises(SourceMisconfigured, match="redirect to"):
            await http.request("POST", url, body=b"{}")


async def test_a_circle_of_redirects_ends(site: Site, url: str) -> None:
    site.handler = answers(lambda: web.Response(status=302, headers={"Location": "/"}))
    async with open_http(redirects=True) as http:
        with pytest.raises(SourceMisconfigured, match="more than 5 redirects"):
            await http.get(url)


async def test_what_the_caller_sets_himself_wins(site: Site, url: str) -> None:
    async with open_http(origin=url, auth=bearer(Secret(CANARY)), headers={"X-Tenant": "a"}) as http:
        await http.get(url, headers={"authorization": "Bearer own", "x-tenant": "b"})
    (request,) = site.requests
    assert request.headers.getall("Authorization") == ["Bearer own"]
    assert request.headers.getall("X-Tenant") == ["b"]


async def put_into(body: bytes | None, kind: str, place: Place = "body") -> Request:
    headers = {"Content-Type": kind} if kind else {}
    request = Request(method="POST", url="https://acme.example/?a=1", headers=headers, body=body)
    return signed(request, await auth_of(place).credential())


def auth_of(place: Place) -> Auth:
    return api_key("key", Secret("v&l"), place)


async def test_a_field_goes_into_json_a_form_or_an_empty_body() -> None:
    sent = await put_into(b'{"a": [1]}', "application/json; charset=utf-8")
    assert json.loads(sent.body or b"") == {"a": [1], "key": "v&l"}
    assert (await put_into(b"a=1&b=", FORM)).body == b"a=1&b=&key=v%26l"
    empty = await put_into(None, "")
    assert (empty.body, empty.headers["Content-Type"]) == (b"key=v%26l", FORM)


@pytest.mark.parametrize(("body", "kind"), [(b"[1]", "application/json"), (b"<a/>", "text/xml"), (b"a", "")])
async def test_a_body_without_a_place_for_it_is_misconfigured(body: bytes, kind: str) -> None:
    with pytest.raises(SourceMisconfigured, match="has no place for key"):
        await put_into(body, kind)


async def test_a_parameter_replaces_one_of_its_name() -> None:
    request = Request(method="GET", url="https://acme.example/?a=1&key=old")
    assert signed(request, await auth_of("query").credential()).url == "https://acme.example/?a=1&key=v%26l"


names = st.text("aAbB-", min_size=1, max_size=3)


@given(st.lists(st.dictionaries(names, st.text(max_size=3)), max_size=4))
def test_no_header_stands_twice_and_the_last_word_counts(layers: list[dict[str, str]]) -> None:
    merged = overlaid(*layers)
    assert len({name.lower() for name in merged}) == len(merged)
    last = {name.lower(): value for layer in layers for name, value in layer.items()}
    assert {name.lower(): value for name, value in merged.items()} == last


def test_only_headers_that_hold_no_key_go_anywhere() -> None:
    assert harmless({"ACCEPT": "a", "Cookie": "b", "X-Anything": "c"}) == {"ACCEPT": "a"}
