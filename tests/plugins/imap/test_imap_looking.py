"""What `check --online` tells of a mailbox."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cgsync_imap.looking import lacks, skewed
from cgsync_imap.settings import Settings

from tests.plugins.imap.conftest import Given, Over
from tests.plugins.imap.mailbox import Mailbox, letter


async def seen(over: Over, **options: Any) -> str:
    async with over(**options).open() as source:
        return str(await source.check())


async def test_check_tells_who_is_logged_in_and_what_there_is(mailbox: Mailbox, over: Over) -> None:
    mailbox.put(letter(1), letter(2))
    assert await seen(over) == f"logged in to 127.0.0.1:{mailbox.server.tls} as {mailbox.user}; INBOX: 2"


async def test_of_several_folders_it_tells_in_which_new_mail_is_heard_of_at_once(mailbox: Mailbox, over: Over) -> None:
    mailbox.create("Orders", "Complaints")
    words = await seen(over, folders=["*"])
    assert "INBOX: 0, Complaints: 0, Orders: 0; new mail of INBOX is heard of at once" in words
    assert await seen(over, folders=["*"], idle=False) == words.partition("; new mail")[0]


async def test_a_message_from_the_future_means_that_a_clock_is_wrong(mailbox: Mailbox, over: Over) -> None:
    mailbox.put(letter(1), at=datetime(2001, 1, 1, tzinfo=UTC))
    assert "clock" not in await seen(over)
    mailbox.put(letter(2), at=datetime.now(UTC) + timedelta(hours=2))
    assert "INBOX: 2 (the newest came in 119 minutes from now" in await seen(over)


@pytest.mark.parametrize(("minutes", "said"), [(-9000, False), (0, False), (5, False), (6, True)])
def test_it_is_said_when_it_is_clearly_wrong(minutes: int, said: bool) -> None:
    assert bool(skewed(timedelta(minutes=minutes))) is said


@pytest.mark.parametrize(
    ("capabilities", "options", "words"),
    [
        ({"IDLE", "MOVE"}, {"after": {"move": "Done"}}, []),
        ({"IDLE", "UIDPLUS"}, {"after": {"move": "Done"}}, ["no MOVE: messages are copied, then deleted"]),
        (set(), {}, ["no IDLE: new mail is found by the schedule alone"]),
        (set(), {"idle": False}, []),
    ],
)
def test_what_the_server_cannot_do_is_told(
    given: Given, capabilities: set[str], options: dict[str, Any], words: list[str]
) -> None:
    assert list(lacks(frozenset(capabilities), Settings.of(given(**options)), ["INBOX"])) == words
