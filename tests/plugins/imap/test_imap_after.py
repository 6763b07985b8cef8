"""What happens to messages once they are stored, and what never happens to any other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from cgsync_imap.after import Aftermath
from cgsync_imap.settings import After

from cgsync.api import SourceMisconfigured, SourceUnavailable
from cgsync.testing import MemoryLog
from cgsync.testing.driving import Driver
from tests.plugins.imap.conftest import Over
from tests.plugins.imap.mailbox import Mailbox, letter

UIDPLUS = frozenset({"UIDPLUS"})


async def done_of(driver: Driver) -> list[Any]:
    return [item for step in await driver.reopened({}) for item in step.batch.done]


async def settled(driver: Driver, done: Sequence[Any]) -> None:
    async with driver.open() as source:
        await source.settle(done)


async def test_nothing_is_settled_unless_it_is_asked_for(mailbox: Mailbox, over: Over) -> None:
    mailbox.put(letter(1))
    assert await done_of(over()) == []


async def test_messages_get_flags_when_they_are_stored_and_not_before(mailbox: Mailbox, over: Over) -> None:
    mailbox.put(letter(1), letter(2))
    driver = over(after={"flag": ["\\Seen", "$cgsync"]})
    done = await done_of(driver)
    assert mailbox.flags() == {1: set(), 2: set()}
    await settled(driver, done)
    assert mailbox.flags() == {1: {b"\\Seen", b"$cgsync"}, 2: {b"\\Seen", b"$cgsync"}}


async def test_messages_are_moved_to_a_folder_that_is_made(mailbox: Mailbox, over: Over) -> None:
    mailbox.put(letter(1), letter(2))
    driver = over(after={"move": "Erledigt/Für später"})
    await settled(driver, await done_of(driver))
    mailbox.put(letter(3))
    assert mailbox.uids() == [3]
    assert mailbox.uids("Erledigt/Für später") == [1, 2]


@pytest.mark.parametrize("after", ["delete", {"move": "Done"}])
async def test_what_others_marked_as_deleted_stays(mailbox: Mailbox, over: Over, after: Any) -> None:
    mailbox.put(letter(1))
    driver = over(after=after)
    done = await done_of(driver)
    mailbox.put(letter(2), letter(3))
    mailbox.put(letter(4), flags=["\\Deleted"])
    await settled(driver, done)
    assert mailbox.uids() == [2, 3, 4]
    assert mailbox.flags()[4] == {b"\\Deleted"}


@pytest.mark.parametrize("after", [{"flag": ["\\Flagged"]}, {"flag": ["$cgsync"]}, {"move": "Done"}, "delete"])
async def test_what_others_do_meanwhile_is_theirs(mailbox: Mailbox, over: Over, after: Any) -> None:
    await settled_under_watch(mailbox, over(after=after), after)


@pytest.mark.usefixtures("without_move")
async def test_without_move_too_what_others_do_meanwhile_is_theirs(mailbox: Mailbox, over: Over) -> None:
    await settled_under_watch(mailbox, over(after={"move": "Done"}), {"move": "Done"})


async def settled_under_watch(mailbox: Mailbox, driver: Driver, after: Any) -> None:
    """Of three that were read, another program deletes one and moves one; it has marked two that came since."""
    mailbox.put(letter(1), letter(2), letter(3))
    done = await done_of(driver)
    mailbox.put(letter(4), letter(5), flags=["\\Deleted"])
    mailbox.create("Theirs", "Done")
    with mailbox.client() as other:
        other.select_folder("INBOX")
        other.move([1], "Theirs")
        other.add_flags([2], ["\\Deleted"])
        other.uid_expunge([2])
        other.idle()
        for _ in range(2):
            await settled(driver, done)
        _, seen = other.idle_done()
        _, behind = other.noop()
    ours = {3: {flag.encode() for flag in after["flag"]}} if "flag" in after else {}
    assert mailbox.flags() == {**ours, 4: {b"\\Deleted"}, 5: {b"\\Deleted"}}
    assert mailbox.uids("Theirs") == [1]
    assert mailbox.uids("Done") == ([1] if "move" in after else [])
    gone = [event[0] for event in [*seen, *behind] if event[1] == b"EXPUNGE"]
    assert gone == ([] if ours else [1]), "number 3 was the first by then"


async def test_messages_that_are_rejected_or_left_out_stay_as_they_are(mailbox: Mailbox, over: Over) -> None:
    mailbox.put(letter(1, Auto_Submitted="auto-replied"), letter(2))
    driver = over(after="delete")
    await settled(driver, await done_of(driver))
    assert mailbox.uids() == [1]


async def test_messages_that_are_gone_are_no_trouble(mailbox: Mailbox, over: Over) -> None:
    mailbox.put(letter(1), letter(2))
    driver = over(after={"flag": ["$cgsync"]})
    done = await done_of(driver)
    with mailbox.client() as client:
        client.select_folder("INBOX")
        client.delete_messages([1])
        client.uid_expunge([1])
    await settled(driver, done)
    assert mailbox.flags() == {2: {b"$cgsync"}}


async def test_a_folder_that_was_numbered_anew_is_left_alone(mailbox: Mailbox, over: Over, log: MemoryLog) -> None:
    """Its numbers mean other messages now."""
    mailbox.put(letter(1))
    driver = over(after="delete")
    done = await done_of(driver)
    mailbox.server.change_uidvalidity(mailbox.user)
    await settled(driver, done)
    assert len(mailbox.uids()) == 1
    assert "numbered anew" in log.text


async def test_a_folder_that_is_gone_is_tried_again_later(mailbox: Mailbox, over: Over) -> None:
    mailbox.create("Sales")
    mailbox.put(letter(1), folder="Sales")
    driver = over(folders=["Sales"], after={"flag": ["$cgsync"]})
    done = await done_of(driver)
    with mailbox.client() as client:
        client.delete_folder("Sales")
    with pytest.raises(SourceUnavailable, match="doesn't exist"):
        await settled(driver, done)


@pytest.mark.parametrize(
    ("after", "capabilities", "refused"),
    [
        (After(delete=True), UIDPLUS, False),
        (After(delete=True), frozenset({"MOVE"}), True),
        (After(move="Done"), frozenset({"MOVE"}), False),
        (After(move="Done"), UIDPLUS, False),
        (After(move="Done"), frozenset(), True),
        (After(flags=("\\Seen",)), frozenset(), False),
    ],
)
def test_what_a_server_can_only_do_to_others_messages_too_is_refused(
    after: After, capabilities: frozenset[str], refused: bool
) -> None:
    aftermath = Aftermath(after, MemoryLog())
    if not refused:
        aftermath.check(capabilities)
        return
    with pytest.raises(SourceMisconfigured, match="after: "):
        aftermath.check(capabilities)
