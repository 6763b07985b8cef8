"""XML as dictionaries, and everything that XML is known to be misused for."""

from __future__ import annotations

from typing import Any

import pytest

from cgsync.formats import Malformed, decode_body, decode_settings

ORDERS = """<?xml version="1.0" encoding="UTF-8"?>
<!-- an export -->
<o:orders xmlns:o="urn:orders" o:page="1">
  <order id="7"><no>A-1</no><note>two <b>bold</b> words</note><empty/></order>
  <order id="8"><no><![CDATA[<A-2>]]> &amp; &#65;</no></order>
  <next> 2 </next>
</o:orders>"""


def read(body: str | bytes, content_type: str = "text/xml", **options: Any) -> Any:
    raw = body.encode() if isinstance(body, str) else body
    return decode_body(raw, decode_settings({"format": "xml", **options}), content_type=content_type).document


def refusal(body: str | bytes, **options: Any) -> str:
    with pytest.raises(Malformed) as caught:
        read(body, **options)
    return str(caught.value)


def test_elements_are_fields() -> None:
    assert read(ORDERS) == {
        "o:orders": {
            "@xmlns:o": "urn:orders",
            "@o:page": "1",
            "order": [
                {"@id": "7", "no": "A-1", "note": {"b": "bold", "#text": "two  words"}, "empty": None},
                {"@id": "8", "no": "<A-2> & A"},
            ],
            "next": "2",
        }
    }


def test_an_element_that_comes_once_can_be_a_list_too() -> None:
    assert read("<a><b>1</b></a>") == {"a": {"b": "1"}}
    assert read("<a><b>1</b></a>", xml={"lists": ["b"]}) == {"a": {"b": ["1"]}}
    assert read("<a><b/><b/></a>", xml={"lists": ["b"]}) == {"a": {"b": [None, None]}}


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "windows-1252", "utf-16", "shift_jis", "koi8-r"])
def test_the_declared_encoding_is_read(encoding: str) -> None:
    sign = {"shift_jis": "表", "koi8-r": "Ж"}.get(encoding, "ü")
    raw = f'<?xml version="1.0" encoding="{encoding}"?><a b="{sign}">{sign}</a>'.encode(encoding)
    assert read(raw) == {"a": {"@b": sign, "#text": sign}}


@pytest.mark.parametrize(
    ("encoding", "content_type", "options"),
    [
        ("latin-1", "text/xml; charset=iso-8859-1", {}),
        ("utf-8", "text/xml; charset=us-ascii", {}),
        ("utf-16-le", "text/xml; charset=utf-16le", {}),
        ("cp1250", "text/xml", {"encoding": "cp1250"}),
    ],
)
def test_without_a_declaration_the_charset_or_the_option_tells(
    encoding: str, content_type: str, options: dict[str, Any]
) -> None:
    assert read("<a>ü</a>".encode(encoding), content_type, **options) == {"a": "ü"}


LAUGHS = '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><l>&b;</l>'
DOCTYPES = {
    "billion laughs": LAUGHS,
    "a file": '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    "an address": '<!DOCTYPE a SYSTEM "http://127.0.0.1:1/x.dtd"><a/>',
    "parameter entities": '<!DOCTYPE a [<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;]><a/>',
    "a plain one": '<?xml version="1.0"?>\n<!DOCTYPE a><a/>',
}


@pytest.mark.parametrize("document", DOCTYPES)
def test_a_doctype_is_refused_before_it_can_do_anything(document: str) -> None:
    assert "it has a DOCTYPE, and none is read" in refusal(DOCTYPES[document])


REFUSED = {
    "<a><b></a>": "not XML: mismatched tag at line 1, column 9",
    "<a>\n&x;</a>": "not XML: undefined entity at line 2, column 1",
    "<a>&#0;</a>": "not XML: reference to invalid character number at line 1, column 4",
    "<a>\x00</a>": "not XML: not well-formed (invalid token) at line 1, column 4",
    "<a/><b/>": "not XML: junk after document element at line 1, column 5",
    "<a b='1' b='2'/>": "not XML: duplicate attribute at line 1, column 10",
    "<a><b>1</b>": 'the XML ends in the middle, after "<a><b>1</b>" (was it cut short on its way?)',
    "<a><b": 'the XML ends in the middle, after "<a><b" (was it cut short on its way?)',
    "": "expected XML, got nothing: it is empty",
    "<html><title>Sign in</title>": 'expected XML, got an HTML page "Sign in"',
    "<a>" * 65 + "</a>" * 65: "nested deeper than 64 levels",
    "<a>" * 100_000: "nested deeper than 64 levels",
    "<a " + " ".join(f"b{n}=''" for n in range(201)) + "/>": "<a> has 201 attributes, at most 200 are allowed",
    "<a>" + "<b/>" * 1_000_000 + "</a>": "it has more than 1000000 elements",
}


@pytest.mark.parametrize("document", REFUSED, ids=lambda document: document[:20])
def test_what_is_refused_is_said_in_words(document: str) -> None:
    assert REFUSED[document] in refusal(document)


def test_bytes_that_are_not_in_the_encoding_are_refused() -> None:
    assert refusal(b"<a>\xfc</a>") == "byte 4 is not utf-8 (say `encoding:`)"
