"""The headers of a message become fields, whoever wrote them with whatever program."""

from __future__ import annotations

from typing import Any

import pytest

from tests.formats.letters import data, letter


def someone(address: str, name: str | None = None) -> dict[str, Any]:
    return {"name": name, "address": address, "domain": address.rpartition("@")[2].lower()}


NOBODY = {"name": None, "address": None, "domain": None}


def test_a_message_has_all_fields_however_little_it_says() -> None:
    assert data(b"X-Nothing: here\n\n") == {
        "message_id": None,
        "in_reply_to": None,
        "references": [],
        "thread_id": data(b"X-Nothing: here\n\n")["thread_id"],
        "from": NOBODY,
        "reply_to": NOBODY,
        "to": [],
        "cc": [],
        "subject": "",
        "date": None,
        "date_error": "there is no Date",
        "text": "",
        "trimmed": "",
        "html": None,
        "attachments": [],
        "headers": {"x-nothing": "here"},
        "size": 17,
        "automatic": [],
        "truncated": [],
    }


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("ann@acme.example", [someone("ann@acme.example")]),
        ("<ann@acme.example>", [someone("ann@acme.example")]),
        ("Ann <Ann@Acme.Example>", [{"name": "Ann", "address": "Ann@Acme.Example", "domain": "acme.example"}]),
        ("ann@acme.example <ann@acme.example>", [someone("ann@acme.example")]),
        ("ann@acme.example (Ann Lee)", [someone("ann@acme.example", "Ann Lee")]),
        ('"Lee, Ann" <ann@acme.example>', [someone("ann@acme.example", "Lee, Ann")]),
        (r'"Ann \"The Ant\" Lee" <ann@acme.example>', [someone("ann@acme.example", 'Ann "The Ant" Lee')]),
        ("Lee, Ann <a@a.example>, bob@b.example", [someone("a@a.example", "Lee, Ann"), someone("bob@b.example")]),
        ("undisclosed, bob@b.example", [someone("bob@b.example")]),
        ("a@a.example; b@b.example", [someone("a@a.example"), someone("b@b.example")]),
        ("Friends: a@a.example, B <b@b.example>;", [someone("a@a.example"), someone("b@b.example", "B")]),
        ("undisclosed-recipients:;", []),
        ("=?utf-8?Q?J=C3=BCrgen?= <j@j.example>", [someone("j@j.example", "Jürgen")]),
        ('"=?utf-8?B?TMO2LCBK?=" <j@j.example>', [someone("j@j.example", "Lö, J")]),
        ("=?utf-8?Q?Lee=2C_Ann?= <ann@acme.example>", [someone("ann@acme.example", "Lee, Ann")]),
        ("<@relay.example:ann@acme.example>", [someone("ann@acme.example")]),
        ("Ann <ann@acme.example", [someone("ann@acme.example", "Ann")]),
        ('"Ann <ann@acme.example>', [someone("ann@acme.example", '"Ann')]),
        (r'"\"\"\ <ann@acme.example>', [someone("ann@acme.example", r'"\"\"' + "\\")]),
        ("A <a@a.example> =?utf-8?q?=2C?= B <b@b.example>", [someone("a@a.example", "A"), someone("b@b.example", "B")]),
        ("<a@a.example><b@b.example>", [someone("a@a.example"), someone("b@b.example")]),
        ("Ann <ann>", []),
        (",,, ,", []),
        ("(((((", []),
        (f"{'x' * 400}@a.example", []),
    ],
)  # fmt: skip
def test_addresses_are_found(written: str, read: list[Any]) -> None:
    assert data(letter(f"To: {written}"))["to"] == read


def test_every_header_of_receivers_counts() -> None:
    letters = data(
        letter("To: a@a.example", "To: b@b.example", "Cc: c@c.example,", "\td@d.example", "Reply-To: r@r.example")
    )
    assert letters["to"] == [someone("a@a.example"), someone("b@b.example")]
    assert letters["cc"] == [someone("c@c.example"), someone("d@d.example")]
    assert letters["reply_to"] == someone("r@r.example")


def test_a_sender_without_an_address_keeps_the_name() -> None:
    assert data(b"From: The Machine\n\n")["from"] == {"name": "The Machine", "address": None, "domain": None}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (b"Hello", "Hello"),
        (b"=?UTF-8?Q?Gr=C3=BC=C3=9Fe_aus_K=C3=B6ln?=", "Grüße aus Köln"),
        (b"=?iso-8859-1?q?caf=E9?= =?iso-8859-1?q?_au_lait?=", "café au lait"),
        (b"=?utf-8?B?w7w=?=\n =?utf-8?B?w6Q=?=", "üä"),
        (b"=?utf-8?Q?=C3?= =?utf-8?Q?=BC?=", "ü"),
        (b"=?utf-8?Q?a?= =?iso-8859-1?Q?=FC?= b =?utf-8?Q?c?=", "aü b c"),
        (b"=?utf-8*de?Q?f=C3=BCr?=", "für"),
        (b"=?utf-8?Q?one?==?utf-8?Q?_two?=", "one two"),
        (b"=?utf-8?Q?with spaces?= in it", "with spaces in it"),
        (b"=?utf-8?B?w7w?= x", "ü x"),
        (b"=?utf-8?B?!!!?= x", "x"),
        (b"=?utf-8?Q?=ZZ?= x", "=ZZ x"),
        (b"=?nonsense?Q?f=C3=BCr?=", "für"),
        (b"=?nonsense?Q?f=FCr?=", "für"),
        (b"=?utf-8?Q?f=FCr?=", "für"),
        (b"=?utf-16?Q?plain?=", "plain"),
        (b"=?utf-8?Q?never ends", "=?utf-8?Q?never ends"),
        (b"=?utf-8?X?abc?=", "=?utf-8?X?abc?="),
        (b"=?gb2312?B?xOO6ww==?=", "你好"),
        (b"=?iso-2022-jp?B?GyRCJDMkcxsoQg==?=", "こん"),
        (b"=?utf-8?Q?a=0D=0ABcc:_x?=", "a Bcc: x"),
        (b"=?utf-8?Q?a=00b?=", "ab"),
        ("für dich".encode(), "für dich"),
        ("für dich".encode("cp1252"), "für dich"),
        (b"folded\n  over\n\tlines", "folded over lines"),
        (b"a\0b", "ab"),
        (b"a\x0bb", "a b"),
        (b"", ""),
    ],
)  # fmt: skip
def test_a_subject_is_read_as_it_was_meant(written: bytes, read: str) -> None:
    assert data(letter(b"Subject: " + written))["subject"] == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Tue, 3 Mar 2026 10:00:00 +0100", "2026-03-03T10:00:00+01:00"),
        ("3 Mar 26 10:00 GMT", "2026-03-03T10:00:00+00:00"),
        ("Tue, 3 Mar 2026 10:00:00 -0000", "2026-03-03T10:00:00+00:00"),
        ("Tue, 03 Mar 2026 10:00:00 EST (somewhere)", "2026-03-03T10:00:00-05:00"),
        ("2026-03-03T10:00:00Z", "2026-03-03T10:00:00+00:00"),
        ("2026-03-03 10:00:00+05:30", "2026-03-03T10:00:00+05:30"),
    ],
)
def test_a_date_has_an_offset(written: str, read: str) -> None:
    assert (data(letter(f"Date: {written}"))["date"], data(letter(f"Date: {written}"))["date_error"]) == (read, None)


@pytest.mark.parametrize(
    "written", ["yesterday", "Tue, 31 Feb 2026 10:00:00 +0100", "1 Mar 2026 10:00:00 +9999", "9" * 300]
)
def test_a_date_that_cannot_be_read_says_so(written: str) -> None:
    letter_ = data(letter(f"Date: {written}"))
    assert (letter_["date"], letter_["date_error"]) == (None, f"the Date cannot be read: {written[:100]}")


@pytest.mark.parametrize(
    ("headers", "thread"),
    [
        (["Message-ID: <own@a>"], "own@a"),
        (["Message-ID: <own@a>", "In-Reply-To: <asked@a>"], "asked@a"),
        (["Message-ID: <own@a>", "In-Reply-To: <asked@a>", "References: <root@a> <asked@a>"], "root@a"),
        (["Message-ID: <own@a>", "References: <ro", "  ot@a>\t<asked@a>"], "root@a"),
        (["Message-ID: <own@a>", "In-Reply-To: Your message of Monday <asked@a>"], "asked@a"),
        (["Message-ID: own@a"], "own@a"),
        (["Message-ID: <>", "References: <>"], "<>"),
    ],
)
def test_a_conversation_has_the_id_of_its_first_message(headers: list[str], thread: str) -> None:
    assert data(letter(*headers))["thread_id"] == thread


def test_without_any_id_a_conversation_is_known_by_the_key() -> None:
    first, second = data(letter(body="one")), data(letter(body="two"))
    assert first["message_id"] is None
    assert first["thread_id"] != second["thread_id"]


def test_of_very_many_references_the_first_and_the_last_stay() -> None:
    references = data(letter("References: " + " ".join(f"<{n}@a>" for n in range(3000))))["references"]
    assert (references[0], references[-1], len(references)) == ("0@a", "2999@a", 101)


def test_headers_stand_by_their_names() -> None:
    headers = data(letter("X-Ticket: =?utf-8?Q?=C3=BC?= 1", "RECEIVED: by a", "Received : by b", "no header at all"))[
        "headers"
    ]
    assert headers == {"from": "Ann <ann@acme.example>", "x-ticket": "ü 1", "received": "by a\nby b"}


def test_an_envelope_line_in_front_is_none_of_the_message() -> None:
    for front in (b"From ann@acme.example Tue Mar  3 10:00:00 2026\n", b">From x\n", b"\r\n\r\n"):
        assert data(front + letter("Subject: Hi"))["subject"] == "Hi"


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r", b"\r\r\n"])
def test_lines_may_end_as_they_like(end: bytes) -> None:
    read = data(letter("Subject: Hi", body="one\ntwo").replace(b"\n", end))
    assert (read["subject"], read["text"].split()) == ("Hi", ["one", "two"])
