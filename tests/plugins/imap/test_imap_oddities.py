"""Servers that refuse, announce, lie or talk nonsense: a record, a reject or words for the operator, never a crash."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from cgsync_imap import cgsync_source_types
from cgsync_imap.access import Access
from cgsync_imap.errors import Refused
from cgsync_imap.session import Session
from cgsync_imap.settings import Settings

from cgsync.api import SourceMisconfigured, SourceUnavailable
from cgsync.clock import SystemClock
from cgsync.testing import as_opened, context
from cgsync.testing.driving import Driver
from tests.plugins.imap.conftest import Given
from tests.plugins.imap.mailbox import Mailbox, letter
from tests.plugins.imap.polling import Polling
from tests.plugins.imap.scripted import Scripted, fetched, scripted

KIND = cgsync_source_types()[0]


def over(server: Scripted, **options: Any) -> Driver:
    basic = {"host": "127.0.0.1", "port": server.port, "encryption": "none", "username": "us", "password": "a-password"}
    given = as_opened(KIND, {**basic, "start": "all", "timeout": {"read": "5s"}, **options})
    return Driver(kind=KIND, options=given, context=context(clock=SystemClock()))


async def uids(driver: Driver) -> list[int]:
    return [record.data["uid"] for step in await driver.reopened({}) for record in step.batch.records]


def one_letter(command: str) -> bytes:
    return fetched(1, letter(1)) + b"{tag} OK done\r\n"


async def test_a_server_that_says_the_least_is_read() -> None:
    """Neither UIDNEXT nor UIDVALIDITY, which old ones leave out."""
    async with scripted(EXAMINE="* 1 EXISTS\r\n{tag} OK done\r\n", UID_FETCH=one_letter) as server:
        assert await uids(over(server)) == [1]


async def test_the_last_message_which_every_range_finds_is_read_once() -> None:
    async with scripted(UID_FETCH=one_letter) as server:
        driver = over(server)
        async with driver.open() as source:
            steps = await driver.drain(source, {})
            assert len(steps) == 1
            assert await driver.drain(source, steps[-1].behind) == []


async def test_what_is_announced_at_the_end_of_a_search_is_searched_for_at_once() -> None:
    """It is not announced again, so that an IDLE after that would stay silent."""
    answers = iter(["* SEARCH 1\r\n* 2 EXISTS\r\n{tag} OK done\r\n", "* SEARCH 1 2\r\n{tag} OK done\r\n"])
    async with scripted(UID_SEARCH=lambda _: next(answers)) as server:
        session = await opened(server)
        await session.examine("INBOX")
        assert await session.search(["UID", "1:*"]) == [1, 2]
        await session.connection.close()


async def test_a_server_that_announces_without_end_is_not_asked_without_end() -> None:
    async with scripted(UID_SEARCH="* SEARCH 1\r\n* 2 EXISTS\r\n{tag} OK done\r\n") as server:
        session = await opened(server)
        await session.examine("INBOX")
        assert await session.search(["UID", "1:*"]) == [1]
        await session.connection.close()


@pytest.mark.parametrize(
    "answer", ["* 2 EXISTS\r\n+ idling\r\n", "+ idling\r\n* 2 EXISTS\r\n", "* 3 EXPUNGE\r\n+ idling\r\n* 2 EXISTS\r\n"]
)
async def test_what_is_announced_around_the_beginning_of_an_idle_is_heard(answer: str) -> None:
    async with scripted(IDLE=answer, DONE="") as server, asyncio.timeout(60):
        session = await opened(server)
        await session.examine("INBOX")
        await session.connection.idle(timedelta(minutes=5))
        await session.connection.close()


async def test_an_idle_that_is_refused_leaves_the_connection_usable() -> None:
    async with scripted(IDLE="{tag} NO not now\r\n") as server:
        session = await opened(server)
        await session.examine("INBOX")
        with pytest.raises(Refused, match="not now"):
            await session.connection.idle(timedelta(minutes=5))
        assert not session.connection.idling
        assert await session.search(["ALL"]) == [1]
        await session.connection.close()


async def opened(server: Scripted) -> Session:
    return Session(await Access(Settings.of(over(server).options), None).connect(), "anybody")


async def test_a_message_that_the_server_does_not_hand_out_is_a_reject_and_those_behind_it_go_on() -> None:
    def fetch(command: str) -> bytes:
        asked = command.split()[2].split(",")
        if "2" in asked:
            return b"{tag} NO message 2 is damaged\r\n"
        return b"".join(fetched(int(uid), letter(uid)) for uid in asked) + b"{tag} OK done\r\n"

    async with scripted(UID_SEARCH="* SEARCH 1 2 3\r\n{tag} OK done\r\n", UID_FETCH=fetch) as server:
        steps = await over(server).reopened({})
    assert [record.data["uid"] for step in steps for record in step.batch.records] == [1, 3]
    ((position, reason),) = [(each.position, each.reason) for step in steps for each in step.batch.rejects]
    assert position.startswith("INBOX uid 2 of ")
    assert "message 2 is damaged" in reason
    assert steps[-1].behind["INBOX"]["low"] == 3


async def test_flags_of_others_that_are_told_in_between_are_no_messages() -> None:
    def fetch(command: str) -> bytes:
        return b"* 9 FETCH (FLAGS (\\Seen))\r\n" + fetched(1, letter(1)) + b"* 8 EXPUNGE\r\n{tag} OK done\r\n"

    async with scripted(UID_FETCH=fetch) as server:
        assert await uids(over(server)) == [1]


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("UID_FETCH", b"* 1 FETCH (UID 1 BODY[]<0> {99999999999}\r\nx"),
        ("UID_FETCH", b"* 1 FETCH (UID 1 BODY[]<0> (((\r\n{tag} OK done\r\n"),
        ("UID_FETCH", b"* 1 FETCH (UID \xff\xfe RFC822.SIZE x)\r\n{tag} OK done\r\n"),
        ("UID_SEARCH", b"* SEARCH one two\r\n{tag} OK done\r\n"),
        ("UID_SEARCH", b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        ("UID_SEARCH", b"* SEARCH " + b"1 " * 600_000 + b"\r\n{tag} OK done\r\n"),
        ("EXAMINE", b"* many EXISTS\r\n* OK [UIDVALIDITY x] ok\r\n{tag} OK done\r\n"),
        ("LIST", b'* LIST (\\x "/" \xff&&&&\r\n{tag} OK done\r\n'),
        ("NOOP", b"* BYE no more\r\n"),
    ],
)
async def test_nonsense_is_a_source_that_is_unavailable(command: str, answer: bytes) -> None:
    async with scripted(**{command: answer}) as server, asyncio.timeout(60):
        with pytest.raises((SourceUnavailable, SourceMisconfigured)):
            await uids(over(server, timeout={"read": "1s"}))


@pytest.mark.parametrize(
    "said",
    [
        "* BYE Session invalidated - AccessTokenExpired\r\n",
        "{tag} NO [AUTHENTICATIONFAILED] the token has expired\r\n",
        "{tag} NO [EXPIRED] log in again\r\n",
        "{tag} BAD Command received in Invalid state.\r\n",
    ],
)
async def test_a_login_that_ends_under_an_open_connection_is_renewed(said: str) -> None:
    """As when the token that it was opened with expires."""
    found = "* SEARCH 1\r\n{tag} OK done\r\n"
    answers = iter([found, found, said])
    async with (
        scripted(UID_SEARCH=lambda _: next(answers, found), UID_FETCH=one_letter) as server,
        over(server).open() as source,
    ):
        polling = Polling(source)
        await polling.drain()
        await polling.drain()
    assert polling.uids == [1]
    assert [command.split()[0] for command in server.commands].count("LOGIN") == 2


@pytest.mark.parametrize(
    ("said", "kind", "after"),
    [
        ("NO [AUTHENTICATIONFAILED] wrong", SourceMisconfigured, None),
        ("NO [LIMIT] Too many simultaneous connections", SourceUnavailable, None),
        ("NO [UNAVAILABLE] later", SourceUnavailable, None),
        ("BAD Request is throttled. Suggested Backoff Time: 90000 milliseconds", SourceUnavailable, 90),
    ],
)
async def test_a_login_is_refused_for_good_or_for_now(said: str, kind: type[Exception], after: int | None) -> None:
    async with scripted(LOGIN=f"{{tag}} {said}\r\n") as server:
        with pytest.raises(kind) as caught:
            await uids(over(server))
    asked: timedelta | None = getattr(caught.value, "retry_after", None)
    assert asked == (None if after is None else timedelta(seconds=after))


async def test_a_password_that_the_server_repeats_is_not_shown() -> None:
    def repeated(command: str) -> str:
        return f"{{tag}} NO {command}\r\n"

    async with scripted(LOGIN=repeated) as server:
        with pytest.raises(SourceMisconfigured) as caught:
            await uids(over(server))
    assert "a-password" not in str(caught.value)


@pytest.mark.parametrize("window", [1, 7, 35, 36, 1000])
async def test_a_search_in_windows_finds_what_one_search_finds(mailbox: Mailbox, given: Given, window: int) -> None:
    mailbox.fill(36)
    session = Session(await Access(Settings.of(given()), None).connect(), mailbox.user)
    await session.examine("INBOX")
    assert await session.search(["UID", "5:*"], window=window) == list(range(5, 37))
    await session.connection.close()
