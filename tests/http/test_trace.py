"""The wire log: complete, without secrets, for its owner alone, and never larger than told."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from cgsync.errors import SourceMisconfigured, SourceUnavailable
from cgsync.http import OAuth2, Retry, Tokens, Trace, api_key, open_http
from cgsync.http.trace import RotatingFile
from cgsync.secrets import Redactor, Secret
from cgsync.testing import FakeClock, MemorySecrets
from tests.http.authority import Authority
from tests.http.site import Site, answers

CANARY = 'canary "key" & more'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "wire.log"


async def test_it_holds_what_went_out_and_what_came_back(site: Site, url: str, file: Path) -> None:
    site.handler = answers(lambda: web.json_response({"tickets": [1]}, status=201, headers={"X-Page": "7"}))
    async with open_http(trace=Trace(file=file)) as http:
        await http.request("POST", url + "tickets?page=2", body=b'{"a": 1}', headers={"X-Ours": "yes"})
    text = file.read_text()
    for part in (
        f"#1 > POST {url}tickets?page=2\n> X-Ours: yes\n",
        '{"a": 1}\n< 201 in 0.',
        "< X-Page: 7",
        '{"tickets": [1]}',
    ):
        assert part in text


async def test_what_breaks_is_in_it(unused_tcp_port: int, file: Path) -> None:
    url = f"http://127.0.0.1:{unused_tcp_port}/"
    async with open_http(trace=Trace(file=file), retry=Retry(attempts=1)) as http:
        with pytest.raises(SourceUnavailable):
            await http.get(url + "?page=1")
    assert f"> GET {url}?page=1\n! {url}: no connection" in file.read_text()


@pytest.mark.parametrize("place", ["header", "query", "body"])
async def test_no_credential_is_in_it_in_whatever_way_it_is_written(
    site: Site, url: str, file: Path, place: str
) -> None:
    """The server repeats what it was told: as text, as JSON, and in a link."""

    async def echo(request: web.Request) -> web.Response:
        told = {"said": CANARY, "link": str(request.url), "headers": dict(request.headers)}
        return web.json_response(told, headers={"Link": f"<{request.url}>", "X-Echo": CANARY, "Set-Cookie": "a=b"})

    site.handler = echo
    auth = api_key("sid", Secret(CANARY), place)  # type: ignore[arg-type]
    headers = {"X-Api-Key": "other-canary", "Cookie": "sid=canary"}
    async with open_http(origin=url, auth=auth, headers=headers, trace=Trace(file=file)) as http:
        kind = {"Content-Type": "application/json"}
        await http.request("POST", url + "?client_secret=canary", body=b"{}", headers=kind)
    text = file.read_text()
    assert "canary" not in text
    assert text.count("********") >= 5


async def test_of_a_login_neither_secret_nor_token_is_in_it(quick: FakeClock, file: Path) -> None:
    authority = Authority(refresh="refresh-canary")
    async with TestServer(authority.app) as server:
        base = str(server.make_url("/"))
        issuer = OAuth2(
            url=base + "token",
            client_id="me",
            client_secret=Secret("secret-canary"),
            clock=quick,
            refresh_token=Secret("refresh-canary"),
            store=MemorySecrets(),
        )
        auth = Tokens(issuer, clock=quick)
        async with open_http(origin=base, auth=auth, clock=quick, trace=Trace(file=file)) as http:
            await http.get(base + "api")
    text = file.read_text()
    assert "canary" not in text
    assert f"POST {base}token" in text
    assert '"expires_in": 3600' in text


async def test_secrets_of_the_whole_program_are_not_in_it(site: Site, url: str, file: Path) -> None:
    redactor = Redactor()
    redactor.add("elsewhere-canary")
    async with open_http(trace=Trace(file=file), redactor=redactor) as http:
        await http.get(url, params={"page": "elsewhere-canary"})
    assert "canary" not in file.read_text()


async def test_only_its_owner_reads_it(site: Site, url: str, file: Path) -> None:
    file.write_text("")
    file.chmod(0o644)
    async with open_http(trace=Trace(file=file, size=100, keep=2)) as http:
        for _ in range(4):
            await http.get(url)
    files = sorted(file.parent.iterdir())
    assert [each.name for each in files] == ["wire.log", "wire.log.1", "wire.log.2"]
    assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o600}


def test_full_ones_are_put_aside_and_the_oldest_go(file: Path) -> None:
    log = RotatingFile(Trace(file=file, size=10, keep=2))
    for number in range(5):
        log.write(b"%d23456789\n" % number)
    assert [each.read_bytes()[:1] for each in sorted(file.parent.iterdir())] == [b"4", b"3", b"2"]


def test_without_any_to_keep_it_begins_anew(file: Path) -> None:
    log = RotatingFile(Trace(file=file, size=10, keep=0))
    for number in range(3):
        log.write(b"%d23456789\n" % number)
    assert [each.read_bytes()[:1] for each in file.parent.iterdir()] == [b"2"]


async def test_a_large_body_is_cut(site: Site, url: str, file: Path) -> None:
    site.handler = answers(lambda: web.Response(body=b"x" * 1_000_000))
    async with open_http(trace=Trace(file=file)) as http:
        await http.get(url)
    assert file.stat().st_size < 100_000
    assert "… and 934464 bytes" in file.read_text()


async def test_one_that_cannot_be_written_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(SourceMisconfigured, match=r"none/wire.log cannot be written: No such file"):
        async with open_http(trace=Trace(file=tmp_path / "none" / "wire.log")):
            pass
