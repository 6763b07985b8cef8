"""Of a message's parts one text is made, and of the rest a list."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import Any

import pytest

from tests.formats.letters import data, letter, message, multipart, part

PLAIN = "Content-Type: text/plain; charset=utf-8"
HTML = "Content-Type: text/html; charset=utf-8"
LONG = "Good morning, here is the answer that you were waiting for."
BASE64 = "Content-Transfer-Encoding: base64"


def text(raw: bytes) -> str:
    return str(data(raw)["text"])


def attachments(raw: bytes) -> list[dict[str, Any]]:
    return list(data(raw)["attachments"])


@pytest.mark.parametrize(
    ("charset", "raw", "read"),
    [
        ("utf-8", "für 5 €".encode(), "für 5 €"),
        ("UTF8", "für".encode(), "für"),
        ('"utf-8"', "für".encode(), "für"),
        ("'utf-8'", "für".encode(), "für"),
        ("iso-8859-1", "für \x93x\x94".encode("latin-1"), "für “x”"),
        ("iso-8859-1", "für".encode(), "für"),
        ("us-ascii", "für".encode("cp1252"), "für"),
        ("utf-8", "für".encode("cp1252"), "für"),
        ("iso-8859-15", "5 €".encode("iso-8859-15"), "5 €"),
        ("windows-1251", "привет".encode("cp1251"), "привет"),
        ("koi8-r", "привет".encode("koi8-r"), "привет"),
        ("gb2312", "你好镕".encode("gb18030"), "你好镕"),
        ("ks_c_5601-1987", "안녕".encode("cp949"), "안녕"),
        ("x-sjis", "①".encode("cp932"), "①"),
        ("shift_jis", "①".encode("cp932"), "①"),
        ("iso-2022-jp", "こんにちは".encode("iso-2022-jp"), "こんにちは"),
        ("iso-8859-8-i", "שלום".encode("iso-8859-8"), "שלום"),
        ("utf-16", "für".encode("utf-16"), "für"),
        ("utf-16", "für".encode(), "für"),
        ("utf-7", b"plain", "plain"),
        ("unknown-8bit", "für".encode("cp1252"), "für"),
        ("x-no-such", "für".encode(), "für"),
        ("zip", b"plain", "plain"),
        ("a" * 5000, b"plain", "plain"),
        ("utf-8", b"\xef\xbb\xbfplain", "plain"),
        ("utf-8", b"a\x81b\xff", "a\ufffdbÿ"),
        ("utf-8", b"a\x00b", "ab"),
        ("utf-8", b"a\xed\xa0\x80b", "aí\xa0€b"),
    ],
)
def test_a_text_is_read_in_the_charset_that_it_really_has(charset: str, raw: bytes, read: str) -> None:
    assert text(letter(f"Content-Type: text/plain; charset={charset}", body=raw)) == read


@pytest.mark.parametrize(
    ("encoding", "raw", "read"),
    [
        ("quoted-printable", b"a soft=\r\n break and =C3=BC=20\r\n", "a soft break and ü "),
        ("quoted-printable", b"broken =ZZ = x =", "broken =ZZ = x "),
        ("Quoted-Printable (comment)", b"=C3=BC", "ü"),
        ("base64", b64encode("für".encode()), "für"),
        ("base64", b"Z sO8 *\r\ncg", "für"),
        ("base64", b"Zm9vY", "foo"),
        ("base64", b"", ""),
        ("x-uuencode", b"begin 644 a.txt\n#0V%T\n`\nend\n", "Cat"),
        ("x-uuencode", b"no such thing", "no such thing"),
        ("x-uuencode", b"begin 644 a.txt\n#0V%T\nnonsense\n\n#0V%T\n", "CatCat"),
        ("8bit", "für".encode(), "für"),
        ("x-no-such", "für".encode(), "für"),
    ],
)
def test_a_transfer_encoding_is_undone(encoding: str, raw: bytes, read: str) -> None:
    assert text(letter(PLAIN, f"Content-Transfer-Encoding: {encoding}", body=raw)) == read


@pytest.mark.parametrize(
    ("more", "raw", "read"),
    [
        ("", "one \ntwo\nthree", "one two\nthree"),
        ("", "> one \n> two\nthree", "> one two\nthree"),
        ("", ">> one \n> two", ">> one \n> two"),
        ("", " From here \n >not quoted", "From here >not quoted"),
        ("", "bye\n-- \nAnn", "bye\n-- \nAnn"),
        ("", "the end flows ", "the end flows "),
        ("; delsp=yes", "Donau \nschiff", "Donauschiff"),
    ],
)
def test_lines_that_flow_are_joined(more: str, raw: str, read: str) -> None:
    assert text(letter(f"Content-Type: text/plain; format=flowed{more}", body=raw)) == read


def test_of_alternatives_the_plain_text_is_read_and_the_html_kept() -> None:
    read = data(message(multipart("alternative", part(LONG, PLAIN), part("<p>Good <b>morning</b>", HTML))))
    assert (read["text"], read["html"], read["attachments"]) == (LONG, "<p>Good <b>morning</b>", [])


@pytest.mark.parametrize("plain", ["", " \n", "Your program cannot show HTML."])
def test_a_plain_text_that_says_next_to_nothing_gives_way_to_the_html(plain: str) -> None:
    markup = f"<p>{LONG}</p><p>{LONG}</p><p>Best, Ann</p>"
    assert text(message(multipart("alternative", part(plain, PLAIN), part(markup, HTML)))).startswith(LONG)


def test_html_alone_becomes_a_text() -> None:
    read = data(letter(HTML, body="<style>p {}</style><p>Good&nbsp;morning</p><p>Ann</p>"))
    assert read["text"] == "Good morning\nAnn"


def test_html_may_name_its_charset_itself() -> None:
    assert text(letter("Content-Type: text/html", body="<meta charset='cp1251'>привет".encode("cp1251"))) == "привет"


def test_texts_one_after_another_are_all_read() -> None:
    alternatives = multipart("alternative", part(LONG, PLAIN), part("<p>x", HTML), boundary="inner")
    read = text(message(multipart("mixed", alternatives, part("<p>and more", HTML), part("-- list footer", PLAIN))))
    assert read == f"{LONG}\nand more\n-- list footer"


def test_related_parts_belong_to_the_alternative_around_them() -> None:
    image = part(
        b64encode(b"GIF"), "Content-Type: image/gif", BASE64, "Content-ID: <i@a>", "Content-Disposition: inline"
    )
    related = multipart("related", part("<img src='cid:i@a'>", HTML), image, boundary="inner")
    read = data(message(multipart("alternative", part(LONG, PLAIN), related)))
    assert read["text"] == LONG
    assert [(each["content_id"], each["inline"], each["size"]) for each in read["attachments"]] == [("i@a", True, 3)]


def test_an_attachment_is_told_of() -> None:
    pdf = part(
        b64encode(b"%PDF"), 'Content-Type: application/pdf; name="a.pdf"', BASE64, "Content-Disposition: attachment"
    )
    assert attachments(message(multipart("mixed", part(LONG), pdf))) == [
        {
            "name": "a.pdf",
            "type": "application/pdf",
            "size": 4,
            "sha256": sha256(b"%PDF").hexdigest(),
            "inline": False,
            "content_id": None,
        }
    ]


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('Content-Disposition: attachment; filename="a b.pdf"', "a b.pdf"),
        ("Content-Disposition: attachment; filename=a b.pdf", "a b.pdf"),
        ("Content-Disposition: ATTACHMENT; FileName=a.pdf; size=3", "a.pdf"),
        (r'Content-Disposition: attachment; filename="a\"b;c.pdf"', 'a"b;c.pdf'),
        ("Content-Disposition: attachment; filename*=utf-8'de'f%C3%BCr.pdf", "für.pdf"),
        ("Content-Disposition: attachment; filename=x; filename*=iso-8859-1''f%FCr.pdf", "für.pdf"),
        ('Content-Disposition: attachment; filename*1=b.pdf; filename*0="a "', "a b.pdf"),
        ("Content-Disposition: attachment; filename*0*=utf-8''%C3; filename*1*=%BC; filename*2=r", "ür"),
        ("Content-Disposition: attachment; filename*0*=nonsense; filename*x=%41", "%41nonsense"),
        ("Content-Disposition: attachment; filename*=utf-8'x", "utf-8'x"),
        ('Content-Disposition: attachment; filename="=?utf-8?Q?f=C3=BCr=2Epdf?="', "für.pdf"),
        ("Content-Disposition: attachment; filename=für.pdf", "für.pdf"),
        ('Content-Disposition: attachment; filename="../../etc/passwd"', "passwd"),
        (r'Content-Disposition: attachment; filename="C:\\tmp\\a.pdf"', "a.pdf"),
        ('Content-Disposition: attachment; filename="a\0\r.pdf"', "a .pdf"),
        ('Content-Disposition: attachment; filename="never closed', "never closed"),
        (f"Content-Disposition: attachment; filename={'x' * 1000}", "x" * 255),
        ("Content-Disposition: attachment; filename=/", None),
        ("Content-Disposition: attachment", None),
    ],
)  # fmt: skip
def test_an_attachment_has_the_name_that_its_sender_saw(header: str, name: str | None) -> None:
    raw = message(multipart("mixed", part(LONG), part("x", "Content-Type: application/octet-stream", header)))
    assert [each["name"] for each in attachments(raw)] == [name]


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        (["Content-Type: text/plain; name=notes.txt"], "text/plain"),
        (["Content-Disposition: attachment"], "text/plain"),
        (["Content-Type: text/calendar; method=REQUEST"], "text/calendar"),
        (["Content-Type: message/rfc822"], "message/rfc822"),
        (["Content-Type: application/ms-tnef; name=winmail.dat"], "application/ms-tnef"),
        (["Content-Type: image/png"], "image/png"),
    ],
)
def test_what_is_no_text_of_the_message_is_attached(headers: list[str], kind: str) -> None:
    read = data(message(multipart("mixed", part(LONG), part("Subject: inner\n\nx", *headers))))
    assert (read["text"], [each["type"] for each in read["attachments"]]) == (LONG, [kind])


def test_a_message_that_is_nothing_but_an_attachment_has_no_text() -> None:
    read = data(
        letter("Content-Type: application/ms-tnef; name=winmail.dat", BASE64, body=b64encode(b"\x78\x9f\x3e\x22"))
    )
    assert (read["text"], read["attachments"][0]["name"], read["attachments"][0]["size"]) == ("", "winmail.dat", 4)


@pytest.mark.parametrize(
    "kind", ["text/plain; name=mail.txt", "nonsense", "text", "", ";;;", "text/plain charset=utf-8"]
)
def test_a_lone_text_is_read_whatever_it_is_called(kind: str) -> None:
    assert text(letter(f"Content-Type: {kind}", body=LONG)) == LONG


def test_files_in_the_middle_of_a_text_are_attached() -> None:
    read = data(letter(body="See this:\n\nbegin 644 a/cat.txt\n#0V%T\n`\nend\nbegin 1 now\n\nBest, Ann\n"))
    assert read["text"] == "See this:\n\nbegin 1 now\n\nBest, Ann"
    assert [(each["name"], each["size"], each["inline"]) for each in read["attachments"]] == [("cat.txt", 3, True)]


@pytest.mark.parametrize(
    ("body", "read"),
    [
        ("no boundary anywhere", "no boundary anywhere"),
        ("--edge\n\none\n--edge\n\ntwo", "one\ntwo"),
        ("--edge\none\n--edge--\nepilogue", "one"),
        ("preamble\n--edge  \n\none\n--edge--  \nepilogue", "one"),
        ("--edge\n\n--edgy\n--edge--", "--edgy"),
        ("--edge\nX-Header: without a body\n--edge\n\ntwo\n--edge--", "two"),
        ("--edge\n--edge\n\ntwo\n--edge--", "two"),
        ("--edge", ""),
        ("", ""),
    ],
)
def test_parts_are_found_where_their_order_is_broken(body: str, read: str) -> None:
    assert text(letter("Content-Type: multipart/mixed; boundary=edge", body=body)) == read


def test_a_multipart_without_a_boundary_is_a_text() -> None:
    assert text(letter("Content-Type: multipart/mixed", body="--edge\n\none")) == "--edge\n\none"


def test_the_end_of_an_outer_part_ends_the_inner_ones() -> None:
    inner = b"Content-Type: multipart/mixed; boundary=inner\n\n--inner\n\none"
    assert text(message(multipart("mixed", inner, part("two")))) == "one\ntwo"
