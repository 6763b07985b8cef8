"""What is in a mailbox becomes records, once each, and nothing in the mailbox changes by that."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cgsync.api import MAX_RAW, Batch
from cgsync.formats import MailLimits
from cgsync.testing.driving import Step, keys
from tests.plugins.imap.conftest import Over
from tests.plugins.imap.mailbox import Mailbox, letter


def uids(steps: list[Step]) -> list[int]:
    return [record.data["uid"] for step in steps for record in step.batch.records]


def rejects(steps: list[Step]) -> list[tuple[str, str]]:
    return [(each.position, each.reason) for step in steps for each in step.batch.rejects]


def behind(steps: list[Step]) -> Any:
    return steps[-1].behind


async def test_a_message_becomes_a_record_with_all_that_a_mapping_may_want(mailbox: Mailbox, over: Over) -> None:
    at = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
    mailbox.put(letter(7, In_Reply_To="<6@acme.example>", References="<1@acme.example> <6@acme.example>"), at=at)
    (step,) = await over().reopened({})
    (record,) = step.batch.records
    data = record.data
    assert record.position == f"INBOX uid 1 of {mailbox.user}"
    assert record.key.startswith("7@acme.example:")
    assert data["account"] == mailbox.user
    assert (data["folder"], data["uid"], data["internaldate"]) == ("INBOX", 1, at.isoformat())
    assert data["uidvalidity"] == mailbox.status()[b"UIDVALIDITY"]
    assert data["from"] == {"name": "Ann Example", "address": "ann@acme.example", "domain": "acme.example"}
    assert (data["subject"], data["text"].strip()) == ("Question 7", "Hello.")
    assert (data["message_id"], data["in_reply_to"], data["thread_id"]) == (
        "7@acme.example",
        "6@acme.example",
        "1@acme.example",
    )


async def test_only_what_came_later_is_read_by_one_who_knows_but_the_cursor(mailbox: Mailbox, over: Over) -> None:
    mailbox.put(letter(1), letter(2))
    first = await over().reopened({})
    assert uids(first) == [1, 2]
    assert await over().reopened(behind(first)) == []
    mailbox.put(letter(3))
    assert uids(await over().reopened(behind(first))) == [3]


async def test_an_open_source_finds_what_came_meanwhile(mailbox: Mailbox, over: Over) -> None:
    driver = over()
    async with driver.open() as source:
        cursor: Any = {}
        for number in range(1, 4):
            mailbox.put(letter(number))
            steps = await driver.drain(source, cursor)
            assert uids(steps) == [number]
            cursor = behind(steps)


async def test_reading_changes_nothing_in_the_mailbox(mailbox: Mailbox, over: Over) -> None:
    mailbox.put(letter(1), letter(2))
    mailbox.put(letter(3), flags=["\\Seen", "\\Deleted"])
    before = mailbox.flags()
    await over().reopened({})
    assert mailbox.flags() == before == {1: set(), 2: set(), 3: {b"\\Seen", b"\\Deleted"}}


async def test_more_than_a_batch_is_read_in_batches(mailbox: Mailbox, over: Over) -> None:
    mailbox.fill(600)
    steps = await over().reopened({})
    assert uids(steps) == list(range(1, 601))
    assert max(len(step.batch.records) for step in steps) <= 500


async def test_from_now_on_means_what_comes_after_the_first_look(mailbox: Mailbox, over: Over) -> None:
    mailbox.put(letter(1))
    first = await over(start="now").reopened({})
    assert uids(first) == []
    mailbox.put(letter(2))
    assert uids(await over(start="now").reopened(behind(first))) == [2]


async def test_a_day_to_start_from_counts_by_when_a_message_came(mailbox: Mailbox, over: Over) -> None:
    for number, day in enumerate([10, 11, 12, 9, 13], start=1):
        mailbox.put(letter(number), at=datetime(2026, 2, day, 0, 30, tzinfo=UTC))
    steps = await over(start="2026-02-12").reopened({})
    assert uids(steps) == [3, 5]
    mailbox.put(letter(6), at=datetime(2026, 2, 1, tzinfo=UTC))
    assert uids(await over(start="2026-02-12").reopened(behind(steps))) == [6], "moved here later, so it is new here"


async def test_bytes_that_are_no_message_are_a_reject_and_those_behind_go_on(mailbox: Mailbox, over: Over) -> None:
    mailbox.put(letter(1))
    mailbox.store(b"no header at all\n\xff\xfe\n")
    mailbox.put(letter(3))
    steps = await over().reopened({})
    assert len(uids(steps)) == 2
    ((position, reason),) = rejects(steps)
    assert position.startswith("INBOX uid ")
    assert "it does not begin with a header" in reason
    assert await over().reopened(behind(steps)) == []


@pytest.mark.parametrize(
    ("too_large", "records", "rejected", "filtered"),
    [("headers", 2, 0, {}), ("reject", 1, 1, {}), ("skip", 1, 0, {"too large": 1})],
)
async def test_a_message_over_the_limit_is_what_the_option_says(
    mailbox: Mailbox, over: Over, too_large: str, records: int, rejected: int, filtered: dict[str, int]
) -> None:
    mailbox.put(letter(1, text="x\n" * 10_000), letter(2))
    limits = {"message": "10KiB", "too_large": too_large}
    (step,) = await over(limits=limits).reopened({})
    assert len(step.batch.records) == records
    assert len(step.batch.rejects) == rejected
    assert all(each.raw.startswith(b"From: Ann") and len(each.raw) <= MAX_RAW for each in step.batch.rejects)
    assert step.batch.filtered == filtered
    assert step.batch.records[0].data["text"].strip() in ("", "Hello.")


async def test_of_a_large_message_the_text_is_cut_and_that_is_said(mailbox: Mailbox, over: Over) -> None:
    mailbox.put(letter(1, text="A line of a long story.\n" * 30_000 + "The end."))
    (step,) = await over().reopened({})
    (record,) = step.batch.records
    assert record.data["size"] > 600_000
    assert len(record.data["text"]) == MailLimits().text
    assert record.data["truncated"] == ["text"]


async def test_forged_message_ids_are_keys_of_their_own(mailbox: Mailbox, over: Over) -> None:
    forged = letter(2, text="Other words.", From="mallory@evil.example", Message_ID="<1@acme.example>")
    without = [letter(number).replace(b"Message-ID: <%d@acme.example>\n" % number, b"") for number in (3, 4)]
    mailbox.put(letter(1), forged, *without)
    found = keys(await over().reopened({}))
    assert len(set(found)) == 4


async def test_the_same_message_has_the_same_key_wherever_it_lies(mailbox: Mailbox, over: Over) -> None:
    mailbox.create("Copies")
    mailbox.put(letter(1))
    mailbox.put(b"Received: from elsewhere\r\n" + letter(1), folder="Copies")
    found = keys(await over(folders=["INBOX", "Copies"]).reopened({}))
    assert len(found) == 2
    assert len(set(found)) == 1


async def test_a_source_that_is_asked_twice_with_one_cursor_says_the_same(mailbox: Mailbox, over: Over) -> None:
    mailbox.fill(120)
    driver = over()
    async with driver.open() as source:
        first, again = await source.fetch({}), await source.fetch({})
    assert isinstance(first, Batch)
    assert isinstance(again, Batch)
    shorter, longer = sorted(([each.key for each in batch.records] for batch in (first, again)), key=len)
    assert shorter == longer[: len(shorter)]  # one that took too long ends sooner


async def test_a_window_is_read_without_touching_what_comes_after_it(mailbox: Mailbox, over: Over) -> None:
    for number, day in enumerate([10, 11, 12, 13], start=1):
        mailbox.put(letter(number), at=datetime(2026, 2, day, 12, tzinfo=UTC))
    start = datetime(2026, 2, 11, tzinfo=UTC)
    steps = await over(window=(start, start + timedelta(days=2)), start="now", after="delete").reopened({})
    assert uids(steps) == [2, 3]
    assert [step.batch.done for step in steps if step.batch.done] == []


async def test_samples_are_the_newest(mailbox: Mailbox, over: Over) -> None:
    mailbox.fill(130)
    async with over(start="now").open() as source:
        records = await source.sample(3)
    assert [record.data["uid"] for record in records] == [130, 129, 128]
