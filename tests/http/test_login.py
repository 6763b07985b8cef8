"""A login session against a real server."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from cgsync.errors import SourceMisconfigured, SourceUnavailable
from cgsync.http import Inject, Login, Tokens, open_http
from cgsync.http.login import login_request
from cgsync.secrets import Secret
from cgsync.testing import FakeClock
from tests.http.site import Site

PASSWORD = "pass-canary+1"


class Portal:
    """Hands out session-1, session-2, … at /login; anything else wants the current one."""

    def __init__(self, site: Site) -> None:
        self.logins: list[tuple[str, bytes]] = []
        self.answer: dict[str, Any] = {}
        self.ended: set[str] = set()
        self.headers: dict[str, str] = {}
        self._site = site
        site.handler = self.serve

    async def serve(self, request: web.Request) -> web.Response:
        if request.path != "/login":
            everything = f"{request.path_qs} {dict(request.headers)} {self._site.bodies[-1]!r}"
            valid = any(f"session-{n}" in everything for n in range(9) if f"session-{n}" not in self.ended)
            return web.json_response({}, status=200 if valid else 401)
        self.logins.append((request.content_type, self._site.bodies[-1]))
        token = f"session-{len(self.logins)}"
        return web.json_response({"data": {"token": token}} | self.answer, headers={"X-Session": token})


@pytest.fixture
def portal(site: Site) -> Portal:
    return Portal(site)


def tokens(url: str, clock: FakeClock, inject: Inject | None = None, **options: Any) -> Tokens:
    body = {"json": {"user": "ada", "password": Secret(PASSWORD), "remember": True}}
    request, secrets = login_request({"url": url + "login", **options.pop("request", body)})
    where = options or {"token_path": "data.token"}
    return Tokens(Login(request=request, secrets=secrets, clock=clock, inject=inject or Inject(), **where), clock=clock)


async def test_it_logs_in_once_and_sends_the_token(site: Site, portal: Portal, url: str, quick: FakeClock) -> None:
    async with open_http(origin=url, auth=tokens(url, quick), clock=quick) as http:
        assert [(await http.get(url)).status for _ in range(2)] == [200, 200]
    ((kind, body),) = portal.logins
    assert kind == "application/json"
    assert json.loads(body) == {"user": "ada", "password": PASSWORD, "remember": True}
    assert site.requests[-1].headers["Authorization"] == "Bearer session-1"


@pytest.mark.parametrize(
    ("inject", "seen"),
    [
        (Inject(name="X-Session", format="{token}"), "X-Session"),
        (Inject(place="query", name="sid", format="{token}"), "sid=session-1"),
        (Inject(place="cookie", name="sid", format="{token}"), "'Cookie': 'sid=session-1'"),
        (Inject(place="body", name="sid", format="{token}"), "sid=session-1"),
    ],
)
async def test_it_goes_where_it_is_wanted(
    site: Site, portal: Portal, url: str, quick: FakeClock, inject: Inject, seen: str
) -> None:
    async with open_http(origin=url, auth=tokens(url, quick, inject), clock=quick) as http:
        assert (await http.request("POST", url)).status == 200
    last = site.requests[-1]
    assert seen in f"{last.path_qs} {dict(last.headers)} {site.bodies[-1]!r}"


async def test_a_form_and_a_token_in_a_header(portal: Portal, url: str, quick: FakeClock) -> None:
    request = {"form": {"user": "ada", "password": Secret(PASSWORD)}}
    async with open_http(
        origin=url, auth=tokens(url, quick, request=request, token_header="x-session"), clock=quick
    ) as http:
        assert (await http.get(url)).status == 200
    assert portal.logins == [("application/x-www-form-urlencoded", b"user=ada&password=pass-canary%2B1")]


async def test_it_logs_in_again_when_the_time_is_over_and_after_a_401(
    portal: Portal, url: str, quick: FakeClock
) -> None:
    auth = tokens(url, quick, token_path="data.token", expires_after=timedelta(minutes=10))
    async with open_http(origin=url, auth=auth, clock=quick) as http:
        await http.get(url)
        await quick.sleep(599)
        await http.get(url)
        assert len(portal.logins) == 2
        portal.ended.add("session-2")
        assert (await http.get(url)).status == 200
    assert len(portal.logins) == 3


async def test_a_login_without_a_token_says_so(portal: Portal, url: str, quick: FakeClock) -> None:
    portal.answer = {"data": {"error": f"wrong {PASSWORD}"}}
    async with open_http(origin=url, auth=tokens(url, quick), clock=quick) as http:
        with pytest.raises(SourceUnavailable, match=r"holds no data\.token") as caught:
            await http.get(url)
    assert PASSWORD not in repr(caught.value)


async def test_a_login_that_is_refused_is_for_a_person(site: Site, url: str, quick: FakeClock) -> None:
    async def refuse(request: web.Request) -> web.Response:
        return web.json_response({"message": f"{PASSWORD} is wrong"}, status=403)

    site.handler = refuse
    async with open_http(origin=url, auth=tokens(url, quick), clock=quick) as http:
        with pytest.raises(SourceMisconfigured, match=r"login answered 403: \*{8} is wrong"):
            await http.get(url)
