"""Many mailboxes in one entry: what each gets, what is refused, and that they share the connections there are."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cgsync_imap.accounts import members
from cgsync_imap.pool import TURN

from cgsync.api import Clock, Context, Source, SourceUnavailable
from cgsync.clock import SystemClock
from cgsync.config import ConfigInvalid, Diagnostic, load
from cgsync.secrets import Redactor
from cgsync.testing import FakeClock, as_opened, context
from cgsync.testing.driving import Driver, keys
from tests.e2e.installation import Site, eventually, site
from tests.e2e.launching import forked
from tests.plugins.imap.conftest import KIND, basic
from tests.plugins.imap.dovecot import PASSWORD, Dovecot
from tests.plugins.imap.mailbox import Mailbox, letter
from tests.plugins.imap.proxy import Proxy, proxied
from tests.plugins.imap.scripted import scripted

HEAD = """\
customergauge: { region: eu, client_id: id, client_secret: secret-of-a-client }
state_dir: state
sources:
  support:
    imap:
      host: imap.example.com
"""
MAPPING = """
    as: mail
    activity:
      reference: "mail-{{ mail.message_id }}"
      account: "{{ mail.from.domain }}"
      type: Email
      source: Support
      happened_at: "{{ mail.internaldate }}"
"""
MAILBOXES = 30
AT_ONCE = 8
BUSY = "Request is throttled. Suggested Backoff Time: 90000 milliseconds"


def made(accounts: list[Any], **above: Any) -> dict[str, Mapping[str, Any]]:
    options = as_opened(KIND, {"host": "imap.example.com", "accounts": accounts, **above})
    return {each.name: each.options for each in members(options)}


def findings(folder: Path, text: str) -> list[Diagnostic]:
    file = folder / "cgsync.yaml"
    file.write_text(HEAD + text + MAPPING)
    file.chmod(0o600)
    with pytest.raises(ConfigInvalid) as caught:
        load(file, environ={}, redactor=Redactor())
    return list(caught.value.diagnostics)


# What each account gets.


def test_one_mailbox_keeps_the_name_of_its_entry() -> None:
    options = as_opened(KIND, {"host": "imap.example.com", "username": "ada", "password": "x"})
    [member] = members(options)
    assert (member.name, member.options) == ("", options)


def test_usernames_alone_share_all_that_stands_above() -> None:
    found = made(["ada@example.com", "bob@example.com"], password="x", folders=["Tickets"])
    assert list(found) == ["ada", "bob"]
    assert [each["username"] for each in found.values()] == ["ada@example.com", "bob@example.com"]
    assert {each["folders"] for each in found.values()} == {("Tickets",)}
    assert not any("accounts" in each for each in found.values())


def test_what_an_account_says_wins_over_what_stands_above_and_defaults_do_not() -> None:
    accounts = [{"username": "ada", "folders": ["Mine"]}, {"username": "bob", "idle": True}]
    found = made(accounts, password="x", folders=["Tickets"], idle=False, start="all")
    assert [(each["folders"], each["idle"], each["start"]) for each in found.values()] == [
        (("Mine",), False, "all"),
        (("Tickets",), True, "all"),
    ]


def test_a_password_of_its_own_stands_instead_of_the_tokens_above() -> None:
    oauth2 = {"token_url": "https://x.example", "client_id": "i", "client_secret": "s"}
    found = made([{"username": "ada", "password": "x"}, "bob"], oauth2=oauth2)
    assert [sorted({"password", "oauth2"} & each.keys()) for each in found.values()] == [["password"], ["oauth2"]]


@pytest.mark.parametrize(
    ("account", "name"),
    [
        ("ada@example.com", "ada"),
        ("ada.b+c@example.com", "ada.b+c"),
        ("ada*master", "ada"),
        ({"username": "EXAMPLE\\ada", "name": "ada"}, "ada"),
    ],
)
def test_an_account_is_called_by_its_name_or_by_its_username(account: Any, name: str) -> None:
    assert list(made([account], password="x")) == [name]


# What is refused, and where.


@pytest.mark.parametrize(
    ("options", "place", "line", "words"),
    [
        ("      password: x\n      accounts:\n      - ada@a.example\n      - ada@b.example\n", "accounts[1]", 10,
         "is called 'ada', as accounts[0] is"),
        ("      accounts:\n      - { username: ada, password: x }\n      - username: bob\n", "accounts[1]", 9,
         "bob has no password"),
        ("      password: x\n      accounts:\n      - username: ada\n        folder: [INBOX]\n", "accounts[0].folder",
         10, 'did you mean "folders"'),
        ("      password: x\n      accounts:\n      - username: ada\n        port: 1\n", "accounts[0].port", 10,
         "unknown option"),
        ("      password: x\n      accounts:\n      - password: y\n", "accounts[0]", 9, '"username" is missing'),
        ("      password: x\n      start: 2026-02-31\n      accounts: [ada, bob]\n", "start", 8, "there is no day"),
        ("      password: x\n      accounts: ['EXAMPLE\\ada']\n", "accounts[0]", 8, "no name can be made of"),
        ("      password: x\n      accounts:\n      - username: ada\n        password: y\n        oauth2:\n"
         "          { token_url: https://x.example, client_id: i, client_secret: s }\n", "accounts[0].oauth2", 12,
         "stands beside a password"),
    ],
)  # fmt: skip
def test_a_mistake_in_an_account_is_shown_at_its_line(
    tmp_path: Path, options: str, place: str, line: int, words: str
) -> None:
    [found] = findings(tmp_path, options)
    assert found.path == f"sources.support.imap.{place}"
    assert words in found.message
    assert found.help or "did you mean" in found.message
    assert found.line == line


@pytest.mark.parametrize(
    "options", ["      password: x\n", "      password: x\n      username: ada\n      accounts: [bob]\n"]
)
def test_there_is_either_one_mailbox_or_a_list_of_them(tmp_path: Path, options: str) -> None:
    assert [each.path for each in findings(tmp_path, options)] == ["sources.support.imap"]


# The connections that there are.


@pytest.fixture
def mailboxes(server: Dovecot, mailbox: Mailbox) -> list[Mailbox]:
    return [Mailbox(server, f"{mailbox.user}-{number}") for number in range(3)]


@asynccontextmanager
async def sources(
    mailboxes: list[Mailbox], proxy: Proxy, clock: Clock | None = None, **options: Any
) -> AsyncIterator[list[tuple[Driver, Source]]]:
    """One source for each mailbox, all of one daemon."""
    shared: Context = context(clock=clock or SystemClock())
    async with AsyncExitStack() as stack:
        opened = []
        for mailbox in mailboxes:
            given = as_opened(KIND, {**basic(mailbox), "port": proxy.port, **options})
            driver = Driver(kind=KIND, options=given, context=shared)
            opened.append((driver, await stack.enter_async_context(driver.open())))
        yield opened


async def test_mailboxes_take_turns_over_one_connection(mailboxes: list[Mailbox]) -> None:
    """Each that waits for mail leaves when another is due; what comes meanwhile is found by its next poll."""
    for number, mailbox in enumerate(mailboxes):
        mailbox.put(letter(number))
    async with (
        proxied(mailboxes[0].server.tls) as proxy,
        sources(mailboxes, proxy, connections={"host": 1}) as opened,
    ):
        read: list[str] = []
        waits = []
        for driver, source in opened:
            read += keys(await driver.drain(source, {}))
            waits.append(asyncio.create_task(source.wait()))
        assert len(set(read)) == len(mailboxes)
        assert (proxy.most, proxy.connections) == (1, len(mailboxes))
        for wait in waits:
            wait.cancel()
        await asyncio.wait(waits)


async def test_a_mailbox_that_had_to_leave_listens_again_when_a_connection_is_free(mailboxes: list[Mailbox]) -> None:
    async with (
        proxied(mailboxes[0].server.tls) as proxy,
        sources(mailboxes[:2], proxy, connections={"host": 1}) as opened,
    ):
        (_, first), (driver, second) = opened
        cursor = (await driver.drain(second, {}))[-1].behind
        waiting = asyncio.create_task(second.wait())
        await first.fetch({})
        assert not second._session
        await first.hang_up()
        async with asyncio.timeout(60):
            while not (second._session and second._session.connection.idling):  # noqa: ASYNC110 - IDLE tells nobody that it has begun
                await asyncio.sleep(0.01)
        mailboxes[1].put(letter("later"))
        await asyncio.wait_for(waiting, 20)
        assert len(keys(await driver.drain(second, cursor))) == 1
        assert proxy.most == 1


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"GREETING": f"* BYE {BUSY}\r\n"}, "wants to be left alone"),
        ({"LOGIN": f"{{tag}} NO {BUSY}\r\n"}, "login put off"),
    ],
)
async def test_patience_asked_for_before_anybody_logged_in_holds_for_all(said: dict[str, str], words: str) -> None:
    """After that it is the affair of one account: the next one asks for itself."""
    shared = context(clock=SystemClock())
    about = {"host": "127.0.0.1", "encryption": "none", "accounts": ["ada", "bob"], "password": "x"}
    async with scripted(**said) as server, AsyncExitStack() as stack:
        given = members(as_opened(KIND, {**about, "port": server.port}))
        ada, bob = [await stack.enter_async_context(KIND.open(each.options, shared)) for each in given]
        for source, expected in ((ada, "Backoff"), (bob, words)):
            with pytest.raises(SourceUnavailable, match=expected) as caught:
                await source.fetch({})
            assert caught.value.retry_after is not None
            assert 80 < caught.value.retry_after.total_seconds() <= 90


async def test_a_mailbox_with_much_to_read_lets_another_have_the_connection(mailboxes: list[Mailbox]) -> None:
    clock = FakeClock()
    async with (
        proxied(mailboxes[0].server.tls) as proxy,
        sources(mailboxes[:2], proxy, clock, connections={"host": 1}) as opened,
    ):
        (_, busy), (_, patient) = opened
        await busy.fetch({})
        waiting = asyncio.create_task(patient.fetch({}))
        await asyncio.sleep(0)
        clock.advance(timedelta(seconds=TURN))
        again = asyncio.create_task(busy.fetch({}))
        await asyncio.wait_for(waiting, 20)
        assert not again.done()
        await patient.hang_up()
        await asyncio.wait_for(again, 20)
        assert proxy.most == 1


# The whole daemon.


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path, launch=forked) as installed:
        yield installed


def entry(mailboxes: list[Mailbox], port: int) -> str:
    return f"""\
  support:
    every: 3s
    imap:
      host: 127.0.0.1
      port: {port}
      tls: {{ ca: {mailboxes[0].server.ca} }}
      connections: {{ host: {AT_ONCE} }}
      start: all
      password: {PASSWORD}
      accounts: [{", ".join(mailbox.user for mailbox in mailboxes)}]
{MAPPING}"""


async def test_thirty_mailboxes_share_eight_connections_and_each_message_arrives_once(
    server: Dovecot, daemon: Site
) -> None:
    mailboxes = [Mailbox(server, f"share{number}") for number in range(MAILBOXES)]
    for mailbox in mailboxes:
        mailbox.put(letter(f"first-{mailbox.user}"))
    wanted = {f"mail-{which}-{each.user}@acme.example" for which in ("first", "second") for each in mailboxes}
    async with proxied(server.tls) as proxy:
        daemon.write(sources=entry(mailboxes, proxy.port))
        await asyncio.to_thread(daemon.running)
        await asyncio.to_thread(eventually, lambda: len(daemon.sandbox.activities) == MAILBOXES)
        for mailbox in mailboxes:
            mailbox.store(letter(f"second-{mailbox.user}"))
        await asyncio.to_thread(eventually, lambda: daemon.sandbox.activities.keys() == wanted)
        assert 1 < proxy.most <= AT_ONCE
        await asyncio.to_thread(operate, daemon)
    sent = Counter(body["reference"] for body in daemon.sandbox.activities.values())
    assert (sent.keys(), daemon.sandbox.stats["puts"]) == (wanted, len(wanted))


def operate(daemon: Site) -> None:
    """What an operator types goes by the name of one mailbox, or by that of the entry."""
    states = {each["source"]: each for each in daemon.json("status")["sources"]}
    assert (len(states), "support/share7" in states) == (MAILBOXES, True)
    assert len(re.findall("support/share", daemon.run("pause", "support").stdout)) == MAILBOXES
    assert len(daemon.json("checkpoint", "list", "support/share7")) == 2
    found = daemon.json("explain", "mail-first-share7@acme.example")
    assert (found["state"], found["source"]) == ("delivered", "support/share7")
