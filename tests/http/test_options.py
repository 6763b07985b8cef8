"""The options of every plugin that speaks HTTP, as somebody writes them, against a real server."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from aiohttp import web

from cgsync.api import Context, SourceType
from cgsync.errors import SourceMisconfigured
from cgsync.http import HTTP_PROPERTIES, Caps, CircuitBreaker, Http, Retry, Tls, Trace, http_arguments, open_http
from cgsync.plugins.soundness import check
from cgsync.secrets import Secret
from cgsync.testing import FakeClock, MemoryLog, MemorySecrets, as_opened, context
from tests.http.authority import CLIENT, SECRET, Authority
from tests.http.certificates import Authority as Signers
from tests.http.site import Site

SAMPLE = """\
auth: { oauth2: { token_url: https://login.example/token, client_id: me, client_secret: "${SECRET}" } }
headers: { X-Tenant: acme }
timeout: { connect: 10s, read: 30s, total: 1m }
redirects: same_host
tls: { ca: /etc/ssl/acme.pem }
rate_limit: { rate: 50/m, early_limit: 0.3 }
retry: { attempts: 3, time: 20s, backoff: 500ms, max: 10s, jitter: true }
circuit: { failures: 5, pause: 2m }
trace: { file: /var/log/cgsync/acme.log, size: 1 MiB, keep: 2 }
"""


@asynccontextmanager
async def never(options: Any, context: Any) -> AsyncIterator[Any]:
    raise AssertionError("not opened here")
    yield


TYPE = SourceType(
    name="web",
    options_schema={"type": "object", "additionalProperties": False, "properties": HTTP_PROPERTIES},
    sample=SAMPLE,
    open=never,
)


def arguments(options: Mapping[str, Any], origin: str = "https://acme.example", **lent: Any) -> dict[str, Any]:
    return http_arguments(as_opened(TYPE, options), origin=origin, context=context(**lent))


@asynccontextmanager
async def opened(url: str, options: Mapping[str, Any], **lent: Any) -> AsyncIterator[Http]:
    given = {"clock": FakeClock(), **lent}
    async with open_http(**arguments(options, url, **given), clock=given["clock"]) as http:
        yield http


def test_the_schema_and_its_sample_are_sound() -> None:
    check(TYPE)


def test_every_option_says_what_it_is_for() -> None:
    assert [path for path, schema in options_of(HTTP_PROPERTIES) if not schema.get("description")] == []


def options_of(properties: Mapping[str, Any], below: str = "") -> list[tuple[str, Mapping[str, Any]]]:
    found = []
    for name, schema in properties.items():
        found.append((below + name, schema))
        inner = {**schema, **schema.get("else", {})}
        found += options_of(inner.get("properties", {}), f"{below}{name}.")
    return found


def test_without_any_options_there_are_careful_limits() -> None:
    found = arguments({})
    assert found["auth"] is None
    assert (found["connect_timeout"], found["read_timeout"], found["timeout"]) == (
        timedelta(seconds=10),
        timedelta(seconds=30),
        timedelta(minutes=1),
    )
    assert found["caps"] == Caps(received=64 * 2**20, expanded=256 * 2**20)
    assert found["tls"] == Tls()
    assert found["redirects"] is True
    assert found["retry"] == Retry()
    assert found["pace"].ceiling == 10
    assert found["trace"] is None


def test_each_option_arrives() -> None:
    found = arguments(
        {
            "headers": {"X-Tenant": "acme"},
            "timeout": {"connect": "1s", "read": "2s", "total": "3s"},
            "redirects": "none",
            "proxy": "http://me:pw@proxy.example:3128",
            "tls": {"ca": "/a", "cert": "/b", "key": "/c"},
            "user_agent": "acme-sync",
            "limits": {"response": "1 kB", "decompressed": "2 kB"},
            "rate_limit": {"rate": "30/m", "early_limit": 0.5},
            "retry": {"attempts": 2, "time": "3s", "backoff": "4s", "max": "5s", "jitter": False},
            "circuit": {"failures": 6, "pause": "7s"},
            "trace": {"file": "/t", "size": "8 B", "keep": 9},
        }
    )
    pace = found.pop("pace")
    assert pace.ceiling == 0.5
    assert found == {
        "origin": "https://acme.example",
        "auth": None,
        "headers": {"X-Tenant": "acme"},
        "connect_timeout": timedelta(seconds=1),
        "read_timeout": timedelta(seconds=2),
        "timeout": timedelta(seconds=3),
        "redirects": False,
        "proxy": Secret("http://me:pw@proxy.example:3128"),
        "tls": Tls(ca=Path("/a"), cert=Path("/b"), key=Path("/c")),
        "user_agent": "acme-sync",
        "caps": Caps(received=1000, expanded=2000),
        "early_limit": 0.5,
        "retry": Retry(
            attempts=2,
            patience=timedelta(seconds=3),
            first=timedelta(seconds=4),
            longest=timedelta(seconds=5),
            jitter=False,
        ),
        "circuit": CircuitBreaker(failures=6, pause=timedelta(seconds=7)),
        "trace": Trace(file=Path("/t"), size=8, keep=9),
    }


@pytest.mark.parametrize(("text", "rate"), [("5/s", 5), ("90/m", 1.5), ("1800/h", 0.5), ("43200/d", 0.5)])
def test_a_rate_is_a_number_in_a_span(text: str, rate: float) -> None:
    assert arguments({"rate_limit": text})["pace"].ceiling == rate


def test_a_budget_is_left_to_the_host() -> None:
    found = arguments({"rate_limit": {"budget": "zendesk", "early_limit": 0.1}})
    assert (found["budget"], found["early_limit"]) == ("zendesk", 0.1)
    assert "pace" not in found


AUTHS: dict[str, tuple[Mapping[str, Any], str]] = {
    "basic": ({"basic": {"username": "me", "password": ""}}, "'Authorization': 'Basic bWU6'"),
    "bearer": ({"bearer": {"token": "t-1"}}, "'Authorization': 'Bearer t-1'"),
    "header": ({"api_key": {"name": "X-Key", "value": "k-1"}}, "'X-Key': 'k-1'"),
    "query": ({"api_key": {"name": "key", "value": "k-1", "in": "query"}}, "/?key=k-1"),
    "body": ({"api_key": {"name": "key", "value": "k-1", "in": "body"}}, "b'key=k-1'"),
}


@pytest.mark.parametrize("kind", AUTHS)
async def test_what_does_not_change_is_sent(site: Site, url: str, kind: str) -> None:
    auth, seen = AUTHS[kind]
    async with opened(url, {"auth": auth}) as http:
        await http.request("POST", url)
    (request,) = site.requests
    assert seen in f"{request.path_qs} {dict(request.headers)} {site.bodies[0]!r}"


async def test_a_token_file(site: Site, url: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file\n")
    async with opened(url, {"auth": {"bearer": {"token_file": str(tmp_path / "token")}}}) as http:
        await http.get(url)
    assert site.requests[0].headers["Authorization"] == "Bearer from-file"


@pytest.mark.parametrize("way", ["post", "basic", "private_key_jwt"])
@pytest.mark.parametrize("grant", ["client_credentials", "refresh_token"])
async def test_oauth2(authority: Authority, base: str, tmp_path: Path, way: str, grant: str) -> None:
    secrets = MemorySecrets()
    option: dict[str, Any] = {"token_url": base + "token", "client_id": CLIENT, "client_auth": way, "grant": grant}
    if way == "private_key_jwt":
        option |= {"private_key": Signers(tmp_path).sign("us").key.read_text(), "key_id": "7", "algorithm": "ES256"}
        option |= {"assertion_audience": "https://login.example"}
    else:
        option["client_secret"] = SECRET
    if grant == "refresh_token":
        option["refresh_token"] = "refresh-0"
    option |= {"scopes": ["read", "write"], "audience": "api", "extra": {"account": "9"}}
    async with opened(base, {"auth": {"oauth2": option}}, secrets=secrets) as http:
        assert (await http.get(base + "api")).status == 200
    (form,) = authority.asked
    assert (form["grant_type"], form["scope"], form["audience"], form["account"]) == (grant, "read write", "api", "9")
    assert ("client_assertion" in form) is (way == "private_key_jwt")
    assert secrets.values == ({"refresh_token": "refresh-1-canary"} if grant == "refresh_token" else {})


async def test_a_login_session(site: Site, url: str) -> None:
    async def serve(request: web.Request) -> web.Response:
        return web.json_response({"data": {"token": "s-1"}})

    site.handler = serve
    body = {"auth": {"user": "ada", "password": "pw"}}
    option = {
        "request": {"url": url + "login", "json": body, "headers": {"X-App": "a"}},
        "token_path": "data.token",
        "expires_after": "30m",
        "inject": {"in": "cookie", "name": "sid", "format": "v1-{token}"},
    }
    async with opened(url, {"auth": {"session": option}}) as http:
        await http.get(url)
    login, call = site.requests
    assert json.loads(site.bodies[0]) == body
    assert (login.method, login.headers["X-App"], call.headers["Cookie"]) == ("POST", "a", "sid=v1-s-1")


async def test_the_token_of_a_login_is_a_bearer_token_unless_told_otherwise(site: Site, url: str) -> None:
    async def serve(request: web.Request) -> web.Response:
        return web.Response(headers={"X-Session": "s-1"})

    site.handler = serve
    option = {"request": {"url": url + "login", "form": {"user": "ada"}}, "token_header": "X-Session"}
    async with opened(url, {"auth": {"session": option}}) as http:
        await http.get(url)
    assert site.bodies[0] == b"user=ada"
    assert site.requests[1].headers["Authorization"] == "Bearer s-1"


@pytest.mark.parametrize("from_file", [False, True])
async def test_a_jwt_of_our_own(site: Site, url: str, tmp_path: Path, from_file: bool) -> None:
    secret = "a shared secret of more than 32 bytes"
    (tmp_path / "key").write_text(secret)
    key = {"key_file": str(tmp_path / "key")} if from_file else {"key": secret}
    claims = {"iss": "me", "scopes": ["a"]}
    option = {
        "algorithm": "HS256",
        "claims": {"iss": "me", "scopes": ["a"]},
        "headers": {"kid": "1"},
        "ttl": "2m",
        **key,
    }
    async with opened(url, {"auth": {"jwt": {**option, "scheme": "JWT"}}}) as http:
        await http.get(url)
    scheme, _, token = site.requests[0].headers["Authorization"].partition(" ")
    signed = jwt.decode(token, secret, ["HS256"], options={"verify_iat": False})
    assert (scheme, {name: signed[name] for name in claims}) == ("JWT", claims)


TOKEN = {"token_url": "https://login.example/token", "client_id": "me"}
WRONG: list[tuple[Mapping[str, Any], str]] = [
    ({"auth": {"oauth2": TOKEN}}, "client_auth: post needs client_secret"),
    ({"auth": {"oauth2": {**TOKEN, "client_auth": "basic"}}}, "client_auth: basic needs client_secret"),
    ({"auth": {"oauth2": {**TOKEN, "client_auth": "private_key_jwt"}}}, "private_key_jwt needs private_key"),
    ({"auth": {"oauth2": {**TOKEN, "grant": "refresh_token"}}}, "go together"),
    ({"auth": {"oauth2": {**TOKEN, "client_secret": "s", "refresh_token": "r"}}}, "go together"),
    ({"auth": {"jwt": {"algorithm": "RS256", "key": "canary"}}}, "auth: jwt: key: does not go with RS256"),
    ({"auth": {"jwt": {"algorithm": "HS256", "key_file": "/nowhere/key"}}}, "/nowhere/key cannot be read"),
    ({"retry": {"time": "31s"}}, "retry.time must be at most 30s"),
    ({"rate_limit": "0/s"}, "rate_limit must be more than 0"),
    ({"tls": {"verify": False}}, "tls.verify: false trusts whoever answers"),
    (
        {"auth": {"oauth2": {**TOKEN, "token_url": "http://login.example/t?a=canary", "client_secret": "s"}}},
        "http://login.example/t is not encrypted",
    ),
    (
        {"auth": {"session": {"request": {"url": "http://login.example/s"}, "token_path": "t"}}},
        "http://login.example/s is not encrypted",
    ),
]


@pytest.mark.parametrize(("options", "words"), WRONG)
def test_what_no_schema_can_say_is_said_when_it_is_opened(options: Mapping[str, Any], words: str) -> None:
    with pytest.raises(SourceMisconfigured, match=words.replace(".", r"\.")) as caught:
        arguments(options)
    assert "canary" not in f"{caught.value}{caught.value!r}"


REFUSED: list[Mapping[str, Any]] = [
    {"auth": {}},
    {"auth": {"basic": {"username": "a", "password": "b"}, "bearer": {"token": "c"}}},
    {"auth": {"bearer": {"token": "a", "token_file": "/b"}}},
    {"auth": {"bearer": {}}},
    {"auth": {"session": {"request": {"url": "https://a.example", "json": {}, "form": {}}, "token_path": "a"}}},
    {"auth": {"session": {"request": {"url": "https://a.example"}, "token_path": "a", "token_header": "b"}}},
    {"auth": {"session": {"request": {"url": "https://a.example"}, "token_path": "a", "inject": {"format": "x"}}}},
    {"auth": {"jwt": {"algorithm": "none", "key": "a"}}},
    {"auth": {"jwt": {"algorithm": "HS256"}}},
    {"rate_limit": {"rate": "1/s", "budget": "a"}},
    {"rate_limit": "fast"},
    {"tls": {"key": "/a"}},
    {"tls": {"ca": "relative.pem"}},
    {"trace": "relative.log"},
    {"proxy": "socks5://a"},
    {"redirects": "all"},
    {"retry": {"attempts": 0}},
]


@pytest.mark.parametrize("options", REFUSED, ids=str)
def test_what_makes_no_sense_is_refused_by_the_schema(options: Mapping[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"^\$\."):
        as_opened(TYPE, options)


@pytest.mark.parametrize(
    ("origin", "encrypted"),
    [
        ("https://acme.example/api", True),
        ("http://127.0.0.1:8080/api", True),
        ("http://localhost/api", True),
        ("http://[::1]/api", True),
        ("http://acme.example/api?key=canary", False),
        ("http://10.0.0.7/api", False),
    ],
)
def test_plain_http_to_another_machine_must_be_meant(origin: str, encrypted: bool) -> None:
    log = MemoryLog()
    if not encrypted:
        with pytest.raises(SourceMisconfigured, match=r"is not encrypted.*allow_insecure: true") as caught:
            arguments({}, origin)
        assert "canary" not in str(caught.value)
    arguments({"allow_insecure": True}, origin, log=log)
    assert ("not encrypted" in log.text) is not encrypted
    assert "canary" not in log.text


def test_a_plugin_may_open_a_context_of_the_kit_with_them() -> None:
    lent: Context = context()
    assert lent.http(**arguments({}))
