"""What passed over the wire, recorded and played back."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st

from cgsync.errors import SourceMisconfigured, SourceUnavailable
from cgsync.http import (
    Cassette,
    Exchange,
    OAuth2,
    Recording,
    Replaying,
    Response,
    Tokens,
    Watched,
    api_key,
    open_http,
)
from cgsync.http.cassette import _bytes, _content
from cgsync.secrets import Secret
from cgsync.testing import FakeClock, MemorySecrets
from tests.http.authority import Authority
from tests.http.site import Site, answers

CANARY = "canary-key-1"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "cassette.json"


async def record(url: str, file: Path, *paths: str, **options: Any) -> list[Response]:
    cassette = Cassette()
    async with open_http(wire=Recording(cassette), **options) as http:
        found = [await http.get(url + path) for path in paths]
    cassette.save(file)
    return found


async def replay(url: str, file: Path, *paths: str, **options: Any) -> list[Response]:
    async with open_http(wire=Replaying(Cassette.load(file)), **options) as http:
        return [await http.get(url + path) for path in paths]


async def test_what_was_recorded_comes_back_without_network(site: Site, url: str, file: Path) -> None:
    site.handler = answers(
        lambda: web.json_response({"page": 1}, headers={"Link": "</2>; rel=next"}),
        lambda: web.Response(body=b"\xff\x00", status=203),
        lambda: web.Response(text="grün"),
    )
    live = await record(url, file, "a?x=1&y=2", "b", "c")
    played = await replay(url, file, "a?y=2&x=1", "b", "c")
    assert len(site.requests) == 3
    for before, after in zip(live, played, strict=True):
        assert (after.url, after.status, after.body.replace(b" ", b"")) == (
            before.url,
            before.status,
            before.body.replace(b" ", b""),
        )
    assert played[0].headers["link"] == "</2>; rel=next"


async def test_json_is_kept_as_json(site: Site, url: str, file: Path) -> None:
    site.handler = answers(lambda: web.json_response({"subject": "Grüße", "id": 12345678901234567890}))
    await record(url, file, "tickets")
    content = json.loads(file.read_text())
    assert content["exchanges"][0]["response"]["json"] == {"subject": "Grüße", "id": 12345678901234567890}
    assert "Grüße" in file.read_text()


async def test_the_same_request_gets_its_answers_in_order_and_the_last_one_for_ever(
    site: Site, url: str, file: Path
) -> None:
    site.handler = answers(lambda: web.Response(text="1"), lambda: web.Response(text="2"))
    await record(url, file, "a", "a")
    assert [each.body for each in await replay(url, file, "a", "a", "a")] == [b"1", b"2", b"2"]


async def test_what_it_does_not_hold_is_named(url: str, site: Site, file: Path) -> None:
    await record(url, file, "a?page=1")
    with pytest.raises(SourceMisconfigured, match=r"no answer to GET .*/a\?page=2.*record it anew"):
        await replay(url, file, "a?page=2")
    async with open_http(wire=Replaying(Cassette.load(file))) as http:
        with pytest.raises(SourceMisconfigured, match=r'no answer to POST .* with \{"q":1\}'):
            await http.request("POST", url + "a", body=b'{"q": 1}')


async def test_fields_may_stand_in_another_order(site: Site, url: str, file: Path) -> None:
    cassette = Cassette()
    async with open_http(wire=Recording(cassette)) as http:
        await http.request("POST", url, body=b'{"a": 1, "b": 2}')
    async with open_http(wire=Replaying(cassette)) as http:
        assert (await http.request("POST", url, body=b'{"b":2,"a":1}')).status == 200


@pytest.mark.parametrize("place", ["header", "query", "body"])
async def test_no_credential_is_in_the_file_and_another_one_replays_it(
    site: Site, url: str, file: Path, place: Any
) -> None:
    async def echo(request: web.Request) -> web.Response:
        return web.json_response({"said": str(request.url), "h": dict(request.headers)}, headers={"X-Echo": CANARY})

    site.handler = echo
    await record(url, file, "a?page=1", origin=url, auth=api_key("sid", Secret(CANARY), place))
    assert CANARY not in file.read_text()
    other = api_key("sid", Secret("another-secret"), place)
    assert (await replay(url, file, "a?page=1", origin=url, auth=other))[0].status == 200


async def test_a_login_is_replayed_without_its_secrets(quick: FakeClock, file: Path) -> None:
    """And nothing that a replay hands out is ever kept in the place of the real one."""
    authority = Authority(refresh="refresh-canary")
    store = MemorySecrets()
    async with TestServer(authority.app) as server:
        base = str(server.make_url("/"))

        def auth(secret: str) -> Tokens:
            issuer = OAuth2(
                url=base + "token",
                client_id="me",
                client_secret=Secret(secret),
                clock=quick,
                refresh_token=Secret("refresh-canary"),
                store=store,
            )
            return Tokens(issuer, clock=quick)

        await record(base, file, "api", origin=base, auth=auth("secret-canary"), clock=quick)
        kept = dict(store.values)
    assert "canary" not in file.read_text()
    (played,) = await replay(base, file, "api", origin=base, auth=auth("another"), clock=quick)
    assert (played.status, played.json()) == (200, {"sees": "********"})
    assert store.values == kept


async def test_what_belongs_to_the_moment_is_left_out(site: Site, url: str, file: Path) -> None:
    """A replay is not to slow down because of a quota of last year."""
    moment = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "3000", "Retry-After": "9", "X-Kept": "yes"}
    site.handler = answers(lambda: web.Response(text="{}", headers=moment))
    await record(url, file, "a")
    headers = json.loads(file.read_text())["exchanges"][0]["response"]["headers"]
    assert headers["X-Kept"] == "yes"
    assert not {name.lower() for name in moment if name != "X-Kept"} & {name.lower() for name in headers}


async def test_only_its_owner_reads_it_and_it_knows_its_time(site: Site, url: str, file: Path) -> None:
    await record(url, file, "a")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert Cassette.load(file).recorded_at.tzinfo is not None


@pytest.mark.parametrize(
    "content",
    ["", "[]", '{"format": 9}', '{"format": 1, "recorded_at": "x", "exchanges": []}', "{", '{"exchanges": 1}'],
)
def test_what_is_no_cassette_is_said(file: Path, content: str) -> None:
    file.write_text(content)
    with pytest.raises(SourceMisconfigured, match="is no cassette"):
        Cassette.load(file)


def test_no_file_is_said(file: Path) -> None:
    with pytest.raises(SourceMisconfigured, match="cannot be read: No such file"):
        Cassette.load(file)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(json_values)
def test_any_json_survives(value: Any) -> None:
    assert json.loads(_bytes(json.loads(json.dumps(_content(json.dumps(value).encode()))))) == value


@given(st.binary(max_size=60))
def test_any_bytes_survive_unless_they_are_json(body: bytes) -> None:
    content = json.loads(json.dumps(_content(body)))
    assert _bytes(content) == body or json.loads(_bytes(content)) == json.loads(body)


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', "[NaN]", "[1e999]", "[0.10000000000000000001]", "[1.50]"])
def test_json_that_would_change_is_kept_as_it_is(text: str) -> None:
    content = _content(text.encode())
    assert _bytes(content) == text.encode() or text == "[1.50]"


async def test_somebody_may_watch_without_seeing_secrets(site: Site, url: str, unused_tcp_port: int) -> None:
    seen: list[Exchange] = []
    site.handler = answers(lambda: web.json_response({"said": CANARY}))
    auth = api_key("X-Key", Secret(CANARY))
    async with open_http(origin=url, auth=auth, wire=Watched(seen.append)) as http:
        assert (await http.get(url + "a?page=1")).json() == {"said": CANARY}
        with pytest.raises(SourceUnavailable):
            await http.request("POST", f"http://127.0.0.1:{unused_tcp_port}/")
    first, second = seen
    assert first.request.url == url + "a?page=1"
    assert first.request.headers["X-Key"] == "********"
    assert first.response is not None
    assert first.response.json() == {"said": "********"}
    assert second.response is None
    assert "no connection" in second.failure
