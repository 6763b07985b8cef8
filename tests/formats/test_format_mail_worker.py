"""A message is read in a process: whatever it does there, the caller gets a record or a reason."""

from __future__ import annotations

import pytest

from cgsync.formats import MailOptions, Malformed, Workers

LETTER = b"From: ann@acme.example\nMessage-ID: <1@acme.example>\nSubject: Hello\n\nGood morning\n"


async def test_a_message_becomes_a_record() -> None:
    async with Workers() as workers:
        mail = await workers.mail(LETTER, MailOptions())
    assert (mail.data["subject"], mail.data["text"], mail.automatic) == ("Hello", "Good morning", [])
    assert mail.key.startswith("1@acme.example:")


@pytest.mark.parametrize("raw", [b"", b"\r\n\r\n", b"%PDF-1.7\n...", bytes(1000)])
async def test_what_is_no_message_is_refused_and_the_process_goes_on(raw: bytes) -> None:
    async with Workers(count=1) as workers:
        with pytest.raises(Malformed, match=r"the message is empty|this is no e-mail message") as caught:
            await workers.mail(raw, MailOptions())
        assert caught.value.raw == raw
        assert (await workers.mail(LETTER, MailOptions())).data["text"] == "Good morning"


async def test_a_message_that_kills_its_process_leaves_the_next_one_fine() -> None:
    async with Workers(count=1, memory=200 * 1024 * 1024) as workers:
        with pytest.raises(Malformed, match=r"more memory than is allowed|died of it"):
            await workers.mail(LETTER + b"x" * 120 * 1024 * 1024, MailOptions())
        assert (await workers.mail(LETTER, MailOptions())).data["text"] == "Good morning"
