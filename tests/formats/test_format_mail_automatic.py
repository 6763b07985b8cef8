"""Messages that no person wrote to us have a word for what they are."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from cgsync.formats import AUTOMATIC
from tests.formats.letters import data, letter, mail, message, multipart, part

ZIP = "Content-Type: application/zip"


def report(kind: str, *parts: str) -> bytes:
    inner = multipart("report", part("In words."), *(part("x", f"Content-Type: {each}") for each in parts))
    return message(inner.replace(b"multipart/report", f"multipart/report{kind}".encode(), 1))


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ([], []),
        (["Auto-Submitted: no"], []),
        (["Precedence: normal"], []),
        (["X-Auto-Response-Suppress: None"], []),
        (["Return-Path: <ann@acme.example>"], []),
        (["Auto-Submitted: auto-replied (vacation)"], ["auto_reply", "auto_generated"]),
        (["Auto-Submitted: auto-generated"], ["auto_generated"]),
        (["X-Autoreply: yes"], ["auto_reply"]),
        (["X-Autorespond: x"], ["auto_reply"]),
        (["Precedence: auto_reply"], ["auto_reply"]),
        (["X-Auto-Response-Suppress: All"], ["auto_generated"]),
        (["List-Id: <news.acme.example>"], ["list"]),
        (["List-Unsubscribe: <mailto:a@a.example>", "Precedence: Bulk"], ["list", "bulk"]),
        (["Precedence: list"], ["list"]),
        (["Precedence: junk"], ["bulk"]),
        (["Return-Path: <>"], ["null_sender"]),
        (["Return-Path: < >", "Auto-Submitted: auto-replied"], ["auto_reply", "auto_generated", "null_sender"]),
        (["X-Failed-Recipients: bob@b.example"], ["bounce"]),
        (["Subject: Report Domain: acme.example Submitter: x", ZIP], ["dmarc_report"]),
        (["Subject: Report Domain: acme.example"], []),
        (["TLS-Report-Domain: acme.example"], ["tls_report"]),
    ],
)
def test_headers_tell_what_is_automatic(headers: Sequence[str], words: Sequence[str]) -> None:
    assert mail(letter(*headers)).automatic == words


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (report("; report-type=delivery-status", "message/delivery-status"), ["bounce"]),
        (report("", "message/delivery-status"), ["bounce"]),
        (report('; report-type="disposition-notification"'), ["receipt"]),
        (report("", "message/disposition-notification"), ["receipt"]),
        (report("; report-type=feedback-report"), ["abuse_report"]),
        (report("; report-type=tlsrpt"), ["tls_report"]),
        (report("; report-type=something-new"), ["report"]),
        (b"From: MAILER-DAEMON@acme.example\n\n", ["bounce"]),
        (b"From: postmaster@acme.example\nReturn-Path: <>\n\n", ["bounce", "null_sender"]),
        (b"From: postmaster@acme.example\n\n", []),
    ],
)
def test_reports_and_bounces_are_told_by_what_they_are(raw: bytes, words: Sequence[str]) -> None:
    read = mail(raw)
    assert read.automatic == words
    assert read.data["automatic"] == words


def test_the_words_are_those_that_can_be_asked_for() -> None:
    raw = letter(
        "Return-Path: <>", "Precedence: bulk", "List-Id: x", "Auto-Submitted: auto-replied", "X-Failed-Recipients: x"
    )
    found = mail(raw).automatic
    assert [word for word in AUTOMATIC if word in found] == list(found)
    assert set(found) == {"bounce", "auto_reply", "auto_generated", "list", "bulk", "null_sender"}


def test_an_ordinary_multipart_is_no_report() -> None:
    assert data(message(multipart("mixed", part("x", "Content-Type: message/delivery-status"))))["automatic"] == []
