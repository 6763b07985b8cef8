"""What is left out, and that it can be let through."""

from __future__ import annotations

from typing import Any

import pytest

from tests.plugins.imap.conftest import Over
from tests.plugins.imap.mailbox import Mailbox, letter

BOUNCE = b"""\
From: Mail Delivery <mailer-daemon@mx.example>
To: support@example.com
Subject: Undelivered
Message-ID: <b@mx.example>
Content-Type: multipart/report; report-type=delivery-status; boundary="x"

--x
Content-Type: text/plain

Sorry.
--x
Content-Type: message/delivery-status

Status: 5.1.1

--x--
"""
OUT_OF_OFFICE = letter("o", Auto_Submitted="auto-replied")
NEWS = letter("n", List_Id="<news.example.com>")
OWN = letter("w", From="Us <Support@Example.com>")
DMARC = letter("d", subject="Report Domain: example.com Submitter: x").replace(b"text/plain", b"application/zip")
WRITTEN = letter("p")


@pytest.mark.parametrize(
    ("raw", "skip", "cause"),
    [
        (BOUNCE, {}, "bounce"),
        (BOUNCE, {"bounces": False}, ""),
        (OUT_OF_OFFICE, {}, "auto_reply"),
        (OUT_OF_OFFICE, {"auto_replies": False}, ""),
        (NEWS, {}, "list"),
        (NEWS, {"lists": False}, ""),
        (DMARC, {}, "dmarc_report"),
        (DMARC, {"reports": False}, ""),
        (OWN, {}, ""),
        (OWN, {"from": ["support@example.com"]}, "sender"),
        (OWN, {"from": ["@EXAMPLE.com"]}, "sender"),
        (WRITTEN, {"from": ["@example.com"]}, ""),
    ],
)
async def test_automatic_mail_and_named_senders_are_counted_and_no_records(
    mailbox: Mailbox, over: Over, raw: bytes, skip: dict[str, Any], cause: str
) -> None:
    mailbox.put(raw)
    (step,) = await over(skip=skip).reopened({})
    assert dict(step.batch.filtered) == ({cause: 1} if cause else {})
    assert len(step.batch.records) == (0 if cause else 1)
    assert step.behind["INBOX"]["low"] == 1


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ({}, [1, 2, 3, 4]),
        ({"from": "bob@"}, [2]),
        ({"subject": "Größe"}, [3]),
        ({"unseen": True}, [1, 2, 3]),
        ({"unseen": False}, [4]),
        ({"header": {"X-Kind": "order"}}, [2]),
        ({"larger": "10KiB"}, [3]),
        ({"smaller": "10KiB", "unseen": True}, [1, 2]),
        ({"keyword": "$todo"}, [4]),
        ({"unkeyword": "$todo"}, [1, 2, 3]),
        ({"raw": ["NOT", "FROM", "bob@example.com"]}, [1, 3, 4]),
        ({"to": "support@", "raw": ["OR", "SUBJECT", "Question 1", "SUBJECT", "Question 4"]}, [1, 4]),
    ],
)
async def test_the_server_judges_what_is_searched_for(
    mailbox: Mailbox, over: Over, search: dict[str, Any], expected: list[int]
) -> None:
    mailbox.put(
        letter(1),
        letter(2, From="Bob <bob@example.com>", X_Kind="order"),
        letter(3, subject="Eine Frage der Größe", text="lang\n" * 5000),
    )
    mailbox.put(letter(4), flags=["\\Seen", "$todo"])
    steps = await over(search=search).reopened({})
    assert [record.data["uid"] for step in steps for record in step.batch.records] == expected
    assert await over(search=search).reopened(steps[-1].behind) == []
