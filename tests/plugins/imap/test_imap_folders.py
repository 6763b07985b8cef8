"""Which folders are read, and where a folder begins."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from cgsync_imap.folders import chosen
from cgsync_imap.session import Listed
from cgsync_imap.settings import Settings

from cgsync.api import SourceMisconfigured
from cgsync.testing import MemoryLog
from cgsync.testing.driving import Step
from tests.plugins.imap.conftest import Given, Over
from tests.plugins.imap.mailbox import Mailbox, letter


def places(steps: list[Step]) -> list[tuple[str, int]]:
    return [(record.data["folder"], record.data["uid"]) for step in steps for record in step.batch.records]


def problems(steps: list[Step]) -> list[tuple[str, str]]:
    return [(problem.part, problem.reason) for step in steps for problem in step.batch.problems]


def listed(name: str, *attributes: str) -> Listed:
    return Listed(name=name, delimiter="/", attributes=frozenset(attributes))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ["INBOX"]),
        ({"folders": ["inbox"]}, ["INBOX"]),
        ({"folders": ["*"]}, ["INBOX", "Büro", "Büro/2026", "Büro/2026/Mai"]),
        ({"folders": ["Büro/%"]}, ["Büro/2026"]),
        ({"folders": ["*"], "exclude": ["Büro/*"]}, ["INBOX", "Büro"]),
        ({"folders": ["Sent"]}, ["Sent"]),
        ({"folders": ["*"], "special": True}, ["INBOX", "Büro", "Büro/2026", "Büro/2026/Mai", "Sent"]),
        ({"folders": ["*"], "after": {"move": "Büro/2026"}}, ["INBOX", "Büro", "Büro/2026/Mai"]),
        ({"folders": ["Bu\u0308ro"]}, ["Büro"]),
        ({"folders": ["INBOX", "Nowhere"]}, ["INBOX", "Nowhere"]),
    ],
)
def test_names_and_patterns_choose_folders(given: Given, options: dict[str, Any], expected: list[str]) -> None:
    there = [
        listed("Büro"),
        listed("Büro/2026"),
        listed("Büro/2026/Mai"),
        listed("Sent", "\\sent"),
        listed("INBOX"),
        listed("Shared", "\\noselect"),
    ]
    assert chosen(there, Settings.of(given(**options))) == expected


def test_a_server_that_names_no_special_folders_has_them_by_their_usual_names(given: Given) -> None:
    there = [listed("INBOX"), listed("Sent Items"), listed("Work/Trash"), listed("Work")]
    assert chosen(there, Settings.of(given(folders=["*"]))) == ["INBOX", "Work"]


def test_no_folder_at_all_needs_a_person_and_names_what_there_is(given: Given) -> None:
    with pytest.raises(SourceMisconfigured, match="there are INBOX, Sent"):
        chosen([listed("INBOX"), listed("Sent")], Settings.of(given(folders=["INBXO"])))


async def test_folders_with_letters_of_any_language_are_read(mailbox: Mailbox, over: Over) -> None:
    mailbox.create("Büro/Anträge & Co", "日本語")
    mailbox.put(letter(1), folder="Büro/Anträge & Co")
    mailbox.put(letter(2), folder="日本語")
    steps = await over(folders=["*"]).reopened({})
    assert sorted(places(steps)) == [("Büro/Anträge & Co", 1), ("日本語", 1)]
    assert await over(folders=["*"]).reopened(steps[-1].behind) == []


async def test_a_wildcard_leaves_special_folders_of_the_server_alone(mailbox: Mailbox, over: Over) -> None:
    mailbox.create("Sent", "Work")
    mailbox.put(letter(1), folder="Sent")
    mailbox.put(letter(2), folder="Work")
    assert places(await over(folders=["*"]).reopened({})) == [("Work", 1)]


async def test_a_folder_that_is_missing_is_a_problem_of_its_own(mailbox: Mailbox, over: Over) -> None:
    mailbox.put(letter(1))
    folders = {"folders": ["INBOX", "Later"]}
    steps = await over(**folders).reopened({})
    assert places(steps) == [("INBOX", 1)]
    ((part, reason),) = problems(steps)
    assert part == "Later"
    assert "doesn't exist" in reason
    mailbox.create("Later")
    mailbox.put(letter(2), folder="Later")
    again = await over(**folders).reopened(steps[-1].behind)
    assert places(again) == [("Later", 1)]
    assert problems(again) == []
    assert "trouble" not in again[-1].behind["Later"]


async def test_a_problem_is_told_once_by_one_who_stays_and_again_after_a_restart(mailbox: Mailbox, over: Over) -> None:
    driver = over(folders=["INBOX", "Later"])
    async with driver.open() as source:
        steps = await driver.drain(source, {})
        assert len(problems(steps)) == 1
        assert await driver.drain(source, steps[-1].behind) == []
    assert len(problems(await driver.reopened(steps[-1].behind))) == 1


async def test_with_start_now_a_folder_that_appears_later_is_read_from_its_beginning(
    mailbox: Mailbox, over: Over
) -> None:
    """What is moved into a new folder before anybody looked at it is no history."""
    mailbox.put(letter(1))
    first = await over(start="now", folders=["*"]).reopened({})
    mailbox.create("New")
    mailbox.put(letter(2), folder="New")
    assert places(await over(start="now", folders=["*"]).reopened(first[-1].behind)) == [("New", 1)]


@pytest.mark.parametrize(("policy", "expected"), [("dedupe", [1, 2]), ("restart", [1, 2]), ("stop", [])])
async def test_a_folder_that_was_numbered_anew_is_read_as_the_policy_says(
    mailbox: Mailbox, over: Over, log: MemoryLog, policy: str, expected: list[int]
) -> None:
    mailbox.put(letter(1))
    first = await over(uidvalidity=policy).reopened({})
    mailbox.put(letter(2))
    mailbox.server.change_uidvalidity(mailbox.user)
    steps = await over(uidvalidity=policy).reopened(first[-1].behind)
    assert [uid for _, uid in places(steps)] == expected
    assert "folder was numbered anew" in log.text
    if policy == "stop":
        ((part, reason),) = problems(steps)
        assert part == "INBOX"
        assert "checkpoint reset" in reason
    else:
        mailbox.put(letter(3))
        assert places(await over(uidvalidity=policy).reopened(steps[-1].behind)) == [("INBOX", 3)]


async def test_dedupe_reads_no_further_back_than_two_days_before_the_newest(mailbox: Mailbox, over: Over) -> None:
    for number, day in enumerate([1, 8, 10], start=1):
        mailbox.put(letter(number), at=datetime(2026, 3, day, 12, tzinfo=UTC))
    first = await over().reopened({})
    mailbox.server.change_uidvalidity(mailbox.user)
    mailbox.put(letter(4), at=datetime(2026, 3, 11, tzinfo=UTC))
    steps = await over().reopened(first[-1].behind)
    found = [record.data["message_id"] for step in steps for record in step.batch.records]
    assert sorted(found) == [
        "2@acme.example",
        "3@acme.example",
        "4@acme.example",
    ]
