"""OAuth2 by a key that signs its own grant, as Google's service accounts have one."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from cgsync.errors import SourceMisconfigured
from cgsync.http import Http, open_http
from cgsync.testing import FakeClock, MemoryLog
from tests.http.accounts import EMAIL, GRANT, Accounts, pem
from tests.http.test_options import arguments

SCOPE = "https://mail.google.com/"
CANARY = "canary-of-a-key"


@pytest.fixture
async def accounts() -> AsyncIterator[Accounts]:
    made = Accounts()
    app = web.Application()
    app.router.add_post("/token", made.answer)
    app.router.add_get("/api", _seen)
    async with TestServer(app) as server:
        made.url = str(server.make_url("/token"))
        yield made


async def _seen(request: web.Request) -> web.Response:
    return web.Response(text=request.headers["Authorization"])


@asynccontextmanager
async def opened(accounts: Accounts, log: MemoryLog | None = None, **oauth2: Any) -> AsyncIterator[Http]:
    clock = FakeClock()
    option = {"grant": "service_account", "scopes": SCOPE, **oauth2}
    given = arguments({"auth": {"oauth2": option}}, accounts.url, clock=clock, log=log or MemoryLog())
    async with open_http(**given, clock=clock) as http:
        yield http


async def shown(accounts: Accounts, **oauth2: Any) -> str:
    """What the API behind it gets to see."""
    async with opened(accounts, **oauth2) as http:
        return (await http.get(accounts.url.replace("/token", "/api"))).body.decode()


async def test_the_file_that_google_hands_out_says_all_but_for_whom(accounts: Accounts) -> None:
    seen = await shown(accounts, service_account_key=accounts.key_file, subject="ann@acme.example")
    assert seen == "Bearer access-of-ann@acme.example"
    ((form), (claims)) = (*accounts.forms, *accounts.claims)
    assert form.keys() == {"grant_type", "assertion"}
    assert form["grant_type"] == GRANT
    assert (claims["scope"], claims["exp"] - claims["iat"] <= 3600) == (SCOPE, True)


async def test_its_parts_may_be_given_one_by_one(accounts: Accounts) -> None:
    parts = {"token_url": accounts.url, "client_id": EMAIL, "private_key": pem(), "key_id": "key-7"}
    assert await shown(accounts, **parts, subject="ann@acme.example") == "Bearer access-of-ann@acme.example"


async def test_what_is_written_beside_the_file_wins(accounts: Accounts) -> None:
    key = json.dumps({**json.loads(accounts.key_file), "token_uri": "https://elsewhere.example/token"})
    assert await shown(accounts, service_account_key=key, token_url=accounts.url, subject="ann@acme.example")


async def test_each_token_is_asked_for_with_another_assertion(accounts: Accounts) -> None:
    for _ in range(2):
        await shown(accounts, service_account_key=accounts.key_file, subject="ann@acme.example")
    assert accounts.claims[0]["jti"] != accounts.claims[1]["jti"]


async def test_one_that_may_not_act_for_a_person_needs_a_person_and_shows_nothing(accounts: Accounts) -> None:
    log = MemoryLog()
    with pytest.raises(SourceMisconfigured, match=r"answered 401: unauthorized_client not authorized") as caught:
        async with opened(accounts, log, service_account_key=accounts.key_file, subject="eve@acme.example") as http:
            await http.get(accounts.url.replace("/token", "/api"))
    told = f"{caught.value!r}{caught.value}{log.text}"
    assert not any(secret in told for secret in (accounts.forms[0]["assertion"], pem().splitlines()[1]))


PARTS = {"grant": "service_account", "token_url": "https://login.example/token", "client_id": EMAIL}
KEY = {"client_email": EMAIL, "private_key": CANARY, "token_uri": "https://login.example/token"}
WRONG: list[tuple[Mapping[str, Any], str]] = [
    (PARTS, "auth: oauth2: grant: service_account needs service_account_key, or private_key"),
    ({**PARTS, "private_key": CANARY}, "auth: oauth2: private_key: does not go with RS256"),
    ({"service_account_key": json.dumps(KEY)}, "auth: oauth2: grant: a service_account_key needs service_account"),
    ({"grant": "service_account", "service_account_key": CANARY}, "^auth: oauth2: service_account_key: it is no JSON"),
    ({"grant": "service_account", "service_account_key": f'["{CANARY}"]'}, "key: it lacks client_email, private_key"),
    (
        {"grant": "service_account", "service_account_key": json.dumps({**KEY, "private_key": ""})},
        "service_account_key: it lacks private_key",
    ),
]


@pytest.mark.parametrize(("oauth2", "words"), WRONG)
def test_what_does_not_go_together_is_said_without_the_key(oauth2: Mapping[str, Any], words: str) -> None:
    with pytest.raises(SourceMisconfigured, match=words) as caught:
        arguments({"auth": {"oauth2": oauth2}})
    assert CANARY not in f"{caught.value}{caught.value!r}"


def test_the_address_in_the_file_is_to_be_encrypted() -> None:
    key = json.dumps({**KEY, "private_key": pem(), "token_uri": "http://login.example/token"})
    with pytest.raises(SourceMisconfigured, match=r"http://login\.example/token is not encrypted"):
        arguments({"auth": {"oauth2": {"grant": "service_account", "service_account_key": key}}})


@pytest.mark.parametrize("lacking", ["token_url", "client_id"])
def test_without_the_file_the_schema_asks_for_the_rest(lacking: str) -> None:
    with pytest.raises(ValueError, match=f"'{lacking}' is a required property"):
        arguments({"auth": {"oauth2": {name: value for name, value in PARTS.items() if name != lacking}}})
