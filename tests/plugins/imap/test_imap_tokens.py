"""OAuth2: a token is fetched, shown, fetched anew once when the server refuses it, and never told to anybody else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from imapclient.exceptions import LoginError

from cgsync.api import SourceMisconfigured, SourceUnavailable
from cgsync.clock import SystemClock
from cgsync.testing import MemoryLog, MemorySecrets, as_opened, context
from cgsync.testing.driving import Driver
from tests.http.accounts import Accounts
from tests.plugins.imap.conftest import KIND, basic
from tests.plugins.imap.dovecot import token
from tests.plugins.imap.mailbox import Mailbox, letter
from tests.plugins.imap.polling import Polling
from tests.plugins.imap.proxy import proxied
from tests.rig import eventually

EXPIRED = timedelta(hours=-1)
BRIEF = timedelta(seconds=2)


class Endpoint:
    """A token endpoint that hands out what the test put there, the last one again and again."""

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.forms: list[dict[str, Any]] = []
        self.status = 200
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.forms.append(dict(await request.post()))
        if self.status != 200:
            return web.json_response({"error": "invalid_client"}, status=self.status)
        issued = self.tokens.pop(0) if len(self.tokens) > 1 else self.tokens[0]
        rotated = f"refresh-{len(self.forms)}"
        return web.json_response({"access_token": issued, "expires_in": 3600, "refresh_token": rotated})


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    made = Endpoint()
    app = web.Application()
    app.router.add_post("/token", made.answer)
    async with TestServer(app) as server:
        made.url = str(server.make_url("/token"))
        yield made


@pytest.fixture
def secrets() -> MemorySecrets:
    return MemorySecrets()


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
def over(mailbox: Mailbox, endpoint: Endpoint, secrets: MemorySecrets, log: MemoryLog) -> Callable[..., Driver]:
    def build(mechanism: str = "xoauth2", port: int = mailbox.server.tls, **oauth2: Any) -> Driver:
        options = {key: value for key, value in {**basic(mailbox), "port": port}.items() if key != "password"}
        client = {"token_url": endpoint.url, "client_id": "us", "client_secret": "client-secret", "scopes": "imap"}
        given = as_opened(KIND, {**options, "mechanism": mechanism, "oauth2": {**client, **oauth2}})
        return Driver(kind=KIND, options=given, context=context(clock=SystemClock(), log=log, secrets=secrets))

    return build


@pytest.mark.parametrize("mechanism", ["xoauth2", "oauthbearer"])
async def test_a_token_of_the_endpoint_opens_the_mailbox(
    mailbox: Mailbox, endpoint: Endpoint, over: Callable[..., Driver], mechanism: str
) -> None:
    mailbox.put(letter(1))
    endpoint.tokens = [token(mailbox.user)]
    steps = await over(mechanism).reopened({})
    assert len(steps[0].batch.records) == 1
    ((form),) = endpoint.forms
    assert form == {
        "grant_type": "client_credentials",
        "scope": "imap",
        "client_id": "us",
        "client_secret": "client-secret",
    }


@pytest.mark.parametrize("mechanism", ["xoauth2", "oauthbearer"])
async def test_a_token_that_the_server_refuses_is_replaced_once(
    mailbox: Mailbox, endpoint: Endpoint, over: Callable[..., Driver], mechanism: str
) -> None:
    endpoint.tokens = [token(mailbox.user, lifetime=EXPIRED), token(mailbox.user)]
    await over(mechanism).reopened({})
    assert len(endpoint.forms) == 2


async def test_a_token_that_expires_while_the_source_waits_is_replaced_without_a_word(
    mailbox: Mailbox, endpoint: Endpoint, over: Callable[..., Driver], log: MemoryLog
) -> None:
    brief = token(mailbox.user, lifetime=BRIEF)
    endpoint.tokens = [brief, token(mailbox.user)]
    async with proxied(mailbox.server.tls) as proxy, over(port=proxy.port).open() as source:
        polling = Polling(source)
        await polling.drain()
        waiting = await polling.parked()
        await eventually(lambda: refused(mailbox, brief))
        mailbox.put(letter(1))
        proxy.cut()
        await waiting
        await polling.drain()
    assert polling.uids == [1]
    assert len(endpoint.forms) == 2
    assert log.text == ""


def refused(mailbox: Mailbox, shown: str) -> bool:
    try:
        mailbox.login_with("oauth2_login", shown)
    except LoginError:
        return True
    return False


async def test_tokens_that_are_refused_again_need_a_person_and_are_not_shown(
    mailbox: Mailbox, endpoint: Endpoint, over: Callable[..., Driver], log: MemoryLog
) -> None:
    endpoint.tokens = [token("somebody-else")]
    with pytest.raises(SourceMisconfigured, match=r"login of user.* refused") as caught:
        await over().reopened({})
    assert len(endpoint.forms) == 2
    assert endpoint.tokens[0] not in str(caught.value) + log.text


async def test_a_refresh_token_that_was_rotated_is_kept_and_used(
    mailbox: Mailbox, endpoint: Endpoint, over: Callable[..., Driver], secrets: MemorySecrets
) -> None:
    endpoint.tokens = [token(mailbox.user)]
    for _ in range(2):
        await over(grant="refresh_token", refresh_token="refresh-0").reopened({})
    assert [form["refresh_token"] for form in endpoint.forms] == ["refresh-0", "refresh-1"]
    assert secrets.values == {"refresh_token": "refresh-2"}


@pytest.mark.parametrize(("status", "kind"), [(401, SourceMisconfigured), (503, SourceUnavailable)])
async def test_an_endpoint_that_refuses_or_is_away_is_told_apart(
    endpoint: Endpoint, over: Callable[..., Driver], status: int, kind: type[Exception]
) -> None:
    endpoint.tokens, endpoint.status = ["unused"], status
    with pytest.raises(kind, match=f"answered {status}") as caught:
        await over().reopened({})
    assert "client-secret" not in str(caught.value)


async def test_one_token_is_good_for_many_connections(
    mailbox: Mailbox, endpoint: Endpoint, over: Callable[..., Driver]
) -> None:
    endpoint.tokens = [token(mailbox.user)]
    async with over().open() as source:
        for _ in range(3):
            await source.fetch({})
            await source.hang_up()
    assert len(endpoint.forms) == 1


@pytest.fixture
async def accounts(mailbox: Mailbox) -> AsyncIterator[Accounts]:
    """Hands out what Dovecot takes for a token of the user for whom it was asked."""
    made = Accounts(mayact=mailbox.user, issue=token)
    app = web.Application()
    app.router.add_post("/token", made.answer)
    async with TestServer(app) as server:
        made.url = str(server.make_url("/token"))
        yield made


@pytest.mark.parametrize("mechanism", ["xoauth2", "oauthbearer"])
async def test_a_service_account_opens_the_mailbox_of_whom_it_acts_for(
    mailbox: Mailbox, accounts: Accounts, log: MemoryLog, mechanism: str
) -> None:
    mailbox.put(letter(1))
    steps = await acting(mailbox, accounts, log, mechanism=mechanism).reopened({})
    assert len(steps[0].batch.records) == 1
    assert [(each["sub"], each["scope"]) for each in accounts.claims] == [(mailbox.user, "https://mail.google.com/")]
    assert accounts.forms[0]["assertion"] not in log.text


async def test_one_that_may_not_act_for_that_mailbox_needs_a_person(
    mailbox: Mailbox, accounts: Accounts, log: MemoryLog
) -> None:
    with pytest.raises(SourceMisconfigured, match="unauthorized_client"):
        await acting(mailbox, accounts, log, subject="eve").reopened({})


def acting(mailbox: Mailbox, accounts: Accounts, log: MemoryLog, mechanism: str = "xoauth2", **oauth2: Any) -> Driver:
    options = {key: value for key, value in basic(mailbox).items() if key != "password"}
    grant = {"grant": "service_account", "service_account_key": accounts.key_file, "scopes": "https://mail.google.com/"}
    given = as_opened(KIND, {**options, "mechanism": mechanism, "oauth2": {**grant, **oauth2}})
    return Driver(kind=KIND, options=given, context=context(clock=SystemClock(), log=log))
