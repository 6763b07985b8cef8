"""Whatever bytes come are read in a time that grows with their size, or refused; what is made of them can be stored."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cgsync.formats import AUTOMATIC, Mail, MailLimits, MailOptions, Malformed
from cgsync.formats.mail.structure import structure_of
from cgsync.formats.text import scrubbed
from tests.formats.letters import data, letter, mail

MIXED = "Content-Type: multipart/mixed; boundary=b"
SMALL = MailOptions(limits=MailLimits(head=300, header=40, parts=6, depth=3, text=50, html=60))
TOKENS = [
    b"\n", b"\n\n", b"\r\n", b"\r", b"\0", b" ", b"\t", b":", b";", b",", b"<", b">", b"(", b")", b'"', b"\\", b"=",
    b"?", b"From: ", b"To: ", b"Subject: ", b"Date: ", b"Message-ID: ", b"References: ", b"Content-Type: ",
    b"text/html", b"Content-Transfer-Encoding: ", b"base64", b"quoted-printable", b"x-uuencode",
    b"multipart/alternative", b"multipart/x", b"; boundary=b", b"; boundary=c", b"\n--b\n", b"\n--c\n", b"\n--b--\n",
    b"\n--c--\n",
    b"; charset=", b"utf-16", b"cp1252", b"iso-2022-jp", b"=?utf-8?Q?", b"=?utf-16?B?", b"?=", b"=C3", b"=D8=00",
    b"2AA=", b"\xff", b"\xed\xa0\x80", b"\xc3\xa4", b"; name*0*=", b"utf-8''%D8%00", b"; filename=", b"> ", b"-- ",
    b"Content-Disposition: ", b"attachment", b"message/rfc822", b"On 1 Mar a@b wrote:", b"\nbegin 644 a\n",
    b"#0V%T\n", b"end\n", b"; format=flowed", b"<p>", b"&#xD800;", b"&#0;",
]  # fmt: skip
soup = st.lists(st.one_of(st.sampled_from(TOKENS), st.binary(max_size=3)), max_size=80).map(b"".join)
messages = st.one_of(soup, soup.map(lambda raw: b"From: a@a.example\n" + raw))


def read(raw: bytes, options: MailOptions) -> Mail | None:
    try:
        return mail(raw, options)
    except Malformed:
        return None


def strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in (*value, *value.values()) for text in strings(item)]
    if isinstance(value, list):
        return [text for item in value for text in strings(item)]
    return [value] if isinstance(value, str) else []


@settings(max_examples=200)
@given(raw=messages, options=st.sampled_from([MailOptions(), SMALL]))
def test_any_bytes_are_a_record_that_can_be_stored_or_are_refused(raw: bytes, options: MailOptions) -> None:
    found = read(raw, options)
    if found is None:
        return
    json.dumps([found.key, found.data], ensure_ascii=False, allow_nan=False).encode()
    assert not any("\0" in text for text in strings(found.data))
    assert set(found.automatic) <= set(AUTOMATIC)
    assert data(b"X: y\n\n").keys() == found.data.keys()


@settings(max_examples=200)
@given(raw=messages)
def test_limits_hold(raw: bytes) -> None:
    found = read(raw, SMALL)
    if found is None:
        return
    limits, record = SMALL.limits, found.data
    assert len(record["text"]) <= limits.text
    assert len(record["trimmed"]) <= limits.text
    assert len(record["html"] or "") <= limits.html
    assert set(record["truncated"]) <= set(MailLimits.__dataclass_fields__)


@settings(max_examples=150)
@given(raw=messages)
def test_one_line_fields_have_one_line(raw: bytes) -> None:
    found = read(raw, MailOptions())
    if found is None:
        return
    people = [found.data["from"], found.data["reply_to"], *found.data["to"], *found.data["cc"]]
    names = [each["name"] for each in found.data["attachments"]]
    for text in strings([people, names, found.data["subject"], found.data["thread_id"]]):
        assert text.splitlines() in ([], [text])


def nested(levels: int) -> bytes:
    inner = (f"--n{n}\nContent-Type: multipart/mixed; boundary=n{n + 1}\n\n" for n in range(levels))
    return letter("Content-Type: multipart/mixed; boundary=n0", body="".join(inner) + f"--n{levels}\n\ndeep\n")


def test_of_a_hundred_thousand_parts_a_thousand_are_read() -> None:
    found = data(letter(MIXED, body="--b\nContent-Type: a/b\n\nhi\n" * 100_000))
    assert (len(found["attachments"]), found["truncated"]) == (999, ["parts"])


@pytest.mark.parametrize(
    ("levels", "text", "truncated"), [(49, "deep", []), (50, "", ["depth"]), (100_000, "", ["depth"])]
)
def test_parts_in_parts_are_read_to_a_depth(levels: int, text: str, truncated: list[str]) -> None:
    found = data(nested(levels))
    assert (found["text"], found["truncated"]) == (text, truncated)
    assert [each["type"] for each in found["attachments"]] == (["multipart/mixed"] if truncated else [])


def test_what_is_too_long_is_cut_and_said_so() -> None:
    limits = MailLimits()
    found = data(letter(f"Subject: {'s' * 100_000}", "X-Y: z\n" * 50_000))
    assert found["truncated"] == ["head", "header"]
    assert len(found["subject"]) == limits.header
    found = data(letter("Content-Type: text/html", body="<p>ab" * 300_000))
    assert (found["truncated"], len(found["html"]), len(found["text"])) == (["html", "text"], limits.html, limits.text)


def test_headers_beyond_a_thousand_are_left_out() -> None:
    found = data(letter(*(f"X-{number}: y" for number in range(1200))))
    assert (len(found["headers"]), found["truncated"]) == (1000, ["head"])


def test_receivers_beyond_a_thousand_are_left_out() -> None:
    assert len(data(letter("To: " + "a@a.example," * 3000))["to"]) == 1000


REPEATED = {
    "dashes": (MIXED, "--\n"),
    "lines like a boundary": (MIXED, "--b!\n"),
    "blank lines": (MIXED, "\n"),
    "parts without a body": (MIXED, "--b\nX: y\n"),
    "alternatives": (
        "Content-Type: multipart/alternative; boundary=b",
        "--b\n\na\n--b\nContent-Type: text/html\n\n<p>",
    ),
    "attributions": ("X: y", "On 1 Mar\n"),
    "attribution ends": ("X: y", "wrote:\n"),
    "header blocks": ("X: y", "From: x\n"),
    "quotes": ("X: y", "> "),
    "flowing lines": ("Content-Type: text/plain; format=flowed", "> a \n"),
    "soft breaks": ("Content-Transfer-Encoding: quoted-printable", "=\n"),
    "base64": ("Content-Transfer-Encoding: base64", "A\n"),
    "uuencode": ("Content-Transfer-Encoding: uuencode", "begin 644 a\n"),
    "uuencode that is cut": ("Content-Transfer-Encoding: uuencode", "begin 644 a\nx\nx\nx\nx\n"),
    "uuencoded files": ("X: y", "begin 644 a\n#0V%T\n"),
    "tags": ("Content-Type: text/html", "<div><p>a"),
    "open tags": ("Content-Type: text/html", "<a b='"),
    "meta": ("Content-Type: text/html", "<meta "),
    "zero bytes": ("X: y", "\0"),
}


@pytest.mark.parametrize("case", REPEATED)
def test_the_time_grows_with_the_size(case: str) -> None:
    """By CPU time of this thread: what is read in the square of the size takes hours here."""
    header, repeated = REPEATED[case]
    raw = letter(header, body=repeated * (2**20 // len(repeated)))
    before = time.thread_time()
    mail(raw)
    assert time.thread_time() - before < 20


@pytest.mark.parametrize("end", ["\n", ""], ids=["body", "head"])
def test_lines_of_dashes_cost_next_to_nothing(end: str) -> None:
    raw = letter(MIXED, body="").rstrip(b"\n") + f"\n{end}".encode() + b"--\n" * 3_000_000
    before = time.thread_time()
    structure_of(raw, MailLimits())
    assert time.thread_time() - before < 1.5


def test_zero_bytes_cost_next_to_nothing() -> None:
    """A line of uuencode that is cut stands for many of them."""
    before = time.thread_time()
    assert scrubbed("a" + "\0" * 2**25) == ("a", 2**25)
    assert time.thread_time() - before < 1.5


@pytest.mark.parametrize("name", ["To", "Content-Type", "Content-Disposition", "Subject", "References", "Date"])
@pytest.mark.parametrize(
    "repeated",
    ["(", '"', "<", ",", "a,", r"\\", ";", ';a="', ";a=b", "=?a?q?", "=?utf-8?Q?a?=", "<a@b>", "a@b,", ":", " ", "\n "],
)
def test_the_time_for_a_header_grows_with_its_size(name: str, repeated: str) -> None:
    raw = f"{name}: {'x/y' if name.startswith('C') else ''}{repeated * (2**18 // len(repeated))}\n\nhi".encode()
    before = time.thread_time()
    mail(raw)
    assert time.thread_time() - before < 10


def test_charsets_that_nobody_knows_cost_little() -> None:
    words = "".join(f"=?no-such-{number}?Q?a?=" for number in range(2000))
    assert data(letter(f"Subject: {words}"))["subject"] == "a" * 2000
