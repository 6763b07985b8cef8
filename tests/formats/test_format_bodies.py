"""Whole bodies: told by what the server calls them and by their content, read in their encoding, refused in words."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from cgsync.api import SourceMisconfigured
from cgsync.formats import DECODE_SCHEMA, Body, Malformed, decode_body, decode_settings

PAGE = b"<!-- x --><!DOCTYPE html>\n<html><head><title>\n Sign in &amp; go </title></head><body>\xff</body></html>"


def read(body: bytes | str, content_type: str = "", name: str = "", **options: Any) -> Body:
    raw = body.encode() if isinstance(body, str) else body
    jsonschema.validate(options, DECODE_SCHEMA)
    return decode_body(raw, decode_settings(options), content_type=content_type, name=name)


def refusal(body: bytes | str, content_type: str = "", name: str = "", **options: Any) -> str:
    with pytest.raises(Malformed) as caught:
        read(body, content_type, name, **options)
    return caught.value.message


TOLD = [
    ("application/json", '{"a":1}', "json", {"a": 1}),
    ("application/problem+json; charset=utf-8", "[1]", "json", [1]),
    ("application/json", '{"a":1}\n{"a":2}\n', "jsonl", [{"a": 1}, {"a": 2}]),
    ("text/html", ' {"a":1}', "json", {"a": 1}),
    ("text/plain", '{"a":1}\r\n{"a":2}', "jsonl", [{"a": 1}, {"a": 2}]),
    ("application/x-ndjson", '{"a":1}', "jsonl", [{"a": 1}]),
    ("application/x-ndjson", "", "jsonl", []),
    ("text/csv", "only\nx\n", "csv", [{"only": "x"}]),
    ("text/csv; header=present", "", "csv", []),
    ("text/csv", "<name>,<mail>\nAnn,a@b.example\n", "csv", [{"<name>": "Ann", "<mail>": "a@b.example"}]),
    ("application/octet-stream", "a;b\n1;2\n", "csv", [{"a": "1", "b": "2"}]),
    ("text/xml", "<a>1</a>", "xml", {"a": "1"}),
    ("application/atom+xml", "<a>1</a>", "xml", {"a": "1"}),
    ("", '<?xml version="1.0"?>\n<a>1</a>', "xml", {"a": "1"}),
    ("", "\ufeff[1]", "json", [1]),
]


@pytest.mark.parametrize(("content_type", "body", "form", "document"), TOLD)
def test_the_format_is_told(content_type: str, body: str, form: str, document: Any) -> None:
    assert read(body, content_type) == Body(document=document, format=form, rejects=read(body, content_type).rejects)
    assert read(body, content_type).rejects in ((), [])


@pytest.mark.parametrize(
    ("name", "form"), [("a.csv", "csv"), ("A.TSV", "csv"), ("a.jsonl", "jsonl"), ("a.ndjson", "jsonl")]
)
def test_without_a_content_type_a_name_tells(name: str, form: str) -> None:
    assert read("", name=name).format == form


REFUSED = [
    ("application/json", PAGE, 'expected JSON, got an HTML page "Sign in & go"'),
    ("text/html", PAGE, 'expected JSON, CSV or XML, got an HTML page "Sign in & go"'),
    ("text/csv", PAGE, 'expected CSV, got an HTML page "Sign in & go"'),
    ("application/xml", "<html><p>", "expected XML, got an HTML page"),
    ("application/json", "", "expected JSON, got nothing: it is empty"),
    ("application/json", " \n", "expected JSON, got nothing: it is empty"),
    ("application/json", "\ufeff<?xml version='1.0'?>", "expected JSON, got XML"),
    ("application/json", "<a/>", 'expected JSON, got "<a/>"'),
    ("application/json", "Service\x1b[31m down", 'expected JSON, got "Service\N{REPLACEMENT CHARACTER}[31m down"'),
    ("application/json", '{"a":[1,2', 'the JSON ends in the middle, after "{"a":[1,2"'),
    ("application/json", '{"a":"' + "x" * 999, 'the JSON ends in the middle, after "' + "x" * 40 + '"'),
    ("application/json", '{"a" 1}', 'not JSON: Expecting \':\' delimiter at character 6; it begins "{"a" 1}"'),
    ("application/json", '{"a":1} x', 'not JSON: Extra data at character 9; it begins "{"a":1} x"'),
    ("application/json", '{"a":NaN}', "NaN is not JSON"),
    ("application/json", '{"a":1e999}', "the number 1e999 is too large"),
    ("application/json", "[" + "9" * 5000 + "]", "a number of 5000 digits"),
    ("application/json", "[" * 65 + "]" * 65, "nested deeper than 64 levels"),
    ("application/json", "[" * 100_000, "nested deeper than 64 levels"),
    ("application/json", "[" + "{}," * 1_000_000 + "{}]", "it has more than 1000000 objects and lists"),
    ("application/json", b'{"a":"\xfc"}', "byte 7 is not utf-8"),
    ("text/csv", '{"error":"no such report"}', 'expected CSV, got JSON: "{"error":"no such report"}"'),
    ("text/csv", "<?xml version='1.0'?><error/>", "expected CSV, got XML"),
    ("application/x-ndjson", "[1]\n", 'expected JSON Lines, got "[1]"; not a JSON object'),
    ("application/xml", '{"a":1}', 'expected XML, got "{"a":1}"'),
    ("", "Internal error, sorry\nbye", 'expected JSON, CSV or XML, got "Internal error, sorry bye"'),
    ("", "OK", 'expected JSON, CSV or XML, got "OK"'),
    ("", b"%PDF-1.7", "expected JSON, CSV or XML, got a PDF"),
]  # fmt: skip


@pytest.mark.parametrize(("content_type", "body", "words"), REFUSED)
def test_what_is_refused_is_named(content_type: str, body: bytes | str, words: str) -> None:
    assert refusal(body, content_type) == words


def test_a_page_instead_of_data_has_a_hint() -> None:
    with pytest.raises(Malformed, match="are the address and the login right"):
        read(PAGE, "application/json")


def test_the_words_hold_no_more_than_the_first_200_characters() -> None:
    assert refusal("x" * 5000, "application/json") == f'expected JSON, got "{"x" * 199}…"'


def test_the_last_of_duplicate_keys_wins() -> None:
    assert read('{"a":1,"a":2}').document == {"a": 2}


def test_what_no_store_takes_is_removed_and_counted() -> None:
    body = read('{"a\\u0000":["\\ud800x","\\ud83d\\ude00"]}')
    assert (body.document, body.cleaned) == ({"a": ["x", "😀"]}, 2)


ENCODED = [
    ("utf-8", "application/json", {}),
    ("utf-8", "application/json; charset=ISO-8859-1", {}),  # it says so and sends UTF-8, as many do
    ("latin-1", 'application/json;charset="iso-8859-1"', {}),
    ("utf-16", "application/json", {}),
    ("utf-16-le", "application/json; charset=utf-16le", {}),
    ("shift_jis", "application/json; charset=shift_jis", {}),
    ("cp1250", "application/json; charset=utf-8", {"encoding": "cp1250"}),
    ("utf-8-sig", "application/json; charset=no-such", {}),
]


@pytest.mark.parametrize(("encoding", "content_type", "options"), ENCODED)
def test_the_encoding_is_the_one_it_has(encoding: str, content_type: str, options: dict[str, Any]) -> None:
    sign = "表" if encoding == "shift_jis" else "ü"
    raw = json.dumps({"a": sign}, ensure_ascii=False).encode(encoding)
    assert read(raw, content_type, **options).document == {"a": sign}
    table = f"a,b\n{sign},2\n".encode(encoding)
    assert read(table, content_type.replace("json", "csv"), **options).document == [{"a": sign, "b": "2"}]


@pytest.mark.parametrize(
    "charset", ["zip", "rot13", "punycode", "idna", "undefined", "unicode_escape", "x" * 500, "../x"]
)
def test_a_charset_that_is_none_is_not_believed(charset: str) -> None:
    assert read('{"a":"\\u00fc"}', f"application/json; charset={charset}").document == {"a": "ü"}


def test_an_encoding_that_does_not_exist_is_a_mistake_of_the_configuration() -> None:
    with pytest.raises(SourceMisconfigured, match="encoding: there is no encoding 'utf-9'"):
        decode_settings({"encoding": "utf-9"})


def test_bad_rows_are_rejects_and_the_others_are_read() -> None:
    body = read("a;b\n1;2\n3\n4;5\n", "text/csv")
    assert body.document == [{"a": "1", "b": "2"}, {"a": "4", "b": "5"}]
    assert [(reject.line, reject.raw, reject.reason) for reject in body.rejects] == [
        (3, b"3\n", "1 field, the table has 2 columns")
    ]
    body = read('{"a":1}\n{"a":\n', "application/x-ndjson")
    assert (body.document, len(body.rejects)) == ([{"a": 1}], 1)


def test_a_body_of_bad_rows_is_something_else() -> None:
    assert refusal("a,b\n" + "x\n" * 10_001, "text/csv").startswith(
        "it has more than 10000 bad rows; the first: 1 field"
    )


def test_the_dialect_is_that_of_the_options() -> None:
    assert read("1|'x|y'\n", format="csv", csv={"delimiter": "|", "quote": "'", "header": ["n", "t"]}).document == [
        {"n": "1", "t": "x|y"}
    ]


def test_text_is_a_record_a_line_or_one_for_all() -> None:
    raw = "one\r\n\n two\x00\n"
    assert read(raw, format="text").document == [{"text": "one", "line": 1}, {"text": " two", "line": 3}]
    assert read(raw, format="text", text="whole").document == [{"text": "one\r\n\n two\n"}]
    assert read(raw, format="text").cleaned == 1
    assert read(" \n", format="text", text="whole").document == []
    assert refusal(b"\xff", format="text") == "byte 1 is not utf-8"


def test_limits_of_the_caller_hold() -> None:
    options = decode_settings({"format": "jsonl"}, limits={"record": 20, "decompressed": 1000})
    body = decode_body(b'{"a":1}\n{"a":"' + b"x" * 50 + b'"}', options)
    assert (body.document, body.rejects[0].reason) == ([{"a": 1}], "the record has 58 bytes, at most 20 are allowed")
