"""The key of a message is its identity for ever: these values may never change."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cgsync.formats import MailLimits, MailOptions
from tests.formats.letters import letter, mail, message, multipart, part

LETTER = letter("Date: Tue, 3 Mar 2026 10:00:00 +0100", "Subject: =?utf-8?Q?Hi?=", "Message-ID: <1@acme.example>")
PARTS = message(multipart("mixed", part("one"), part("dHdv", "Content-Transfer-Encoding: base64")), "Message-ID:<2@a>")

VECTORS = [
    (LETTER, "1@acme.example:d6923e019e0bf0e1b14b79ef843583a1"),
    (PARTS, "2@a:288239ee65825749d68add593dc8fe93"),
    (letter(), ":cc1f4f82fcd6693ff1996bace773b5f7"),
    (letter("Message-ID: 3@acme.example"), ":6606b273b95749683ff48288da3fa1a4"),
    (letter("Message-ID: <für@acme.example>"), ":21995d020bfd976f9b30b71d0b22239a"),
    (letter("Message-ID: <" + "x" * 161 + ">"), ":4a34f06308a36527b9736c6ebaba5d4c"),
    (b"X-Nothing: here", ":34310bc9873a2079b4187cb02b47b120"),
]


@pytest.mark.parametrize(("raw", "key"), VECTORS)
def test_a_message_has_the_key_that_it_always_had(raw: bytes, key: str) -> None:
    assert mail(raw).key == key


def key(raw: bytes) -> str:
    return mail(raw).key


@pytest.mark.parametrize(
    "other",
    [
        b"Received: from a by b;\n\tTue, 3 Mar 2026 11:00:00 +0100\n" + LETTER,
        b"Delivered-To: ann@acme.example\nReturn-Path: <>\nX-Spam: no\n" + LETTER,
        LETTER.replace(b"\n", b"\r\n"),
        LETTER + b"\r\n\r\n",
        LETTER.replace(b"Mar 2026 10", b"Mar\n 2026\t 10"),
        LETTER.replace(b"Subject: ", b"SUBJECT:"),
        b"From ann@acme.example Tue Mar  3 10:00:00 2026\n" + LETTER,
        LETTER.replace(b"\n\n", b"\nSubject: a second one\n\n", 1),
    ],
)
def test_what_happens_on_the_way_does_not_change_it(other: bytes) -> None:
    assert key(other) == key(LETTER)


@pytest.mark.parametrize(
    "other",
    [
        LETTER.replace(b"<1@", b"<9@"),
        LETTER.replace(b"ann@", b"bob@"),
        LETTER.replace(b"10:00", b"10:01"),
        LETTER.replace(b"Hi", b"Ho"),
        LETTER.replace(b"morning", b"evening"),
        LETTER.replace(b"Message-ID: <1@acme.example>\n", b""),
        LETTER.replace(b"Subject: =?utf-8?Q?Hi?=", b"Subject: Hi"),
    ],
)
def test_another_message_has_another_one(other: bytes) -> None:
    assert key(other) != key(LETTER)


def test_messages_without_an_id_do_not_become_one() -> None:
    assert len({key(letter(body=str(number))) for number in range(100)}) == 100


def test_one_field_cannot_pass_for_another() -> None:
    assert key(b"From: ab\nSubject: c\n\n") != key(b"From: a\nSubject: bc\n\n")
    assert key(b"From: a\nX: 1\n\n") != key(b"Subject: a\nX: 1\n\n")


def test_no_option_changes_it() -> None:
    tight = MailOptions(
        quotes=False, signature=False, limits=MailLimits(head=10, header=1, parts=1, depth=0, text=1, html=1)
    )
    assert [mail(raw, tight).key for raw, _ in VECTORS] == [key(raw) for raw, _ in VECTORS]


line = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40).map(str.encode)


@settings(max_examples=150)
@given(above=st.lists(line, max_size=4), between=st.lists(line, max_size=4), body=st.binary(max_size=60))
def test_headers_that_are_added_do_not_change_it(above: list[bytes], between: list[bytes], body: bytes) -> None:
    raw = b"Date: Tue, 3 Mar 2026 10:00:00 +0100\nFrom: a@a.example\nMessage-ID: <1@a>\n"
    added = b"".join(b"Received: " + each + b"\n" for each in above) + raw
    added += b"".join(b"X-Hop: " + each + b"\n" for each in between)
    assert key(added + b"\n" + body) == key(raw + b"\n" + body)


@settings(max_examples=150)
@given(body=st.binary(max_size=60))
def test_it_is_short_and_printable(body: bytes) -> None:
    assert re.fullmatch(r"1@a:[0-9a-f]{32}", key(b"Message-ID: <1@a>\n\n" + body))
