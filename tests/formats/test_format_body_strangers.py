"""Whatever bytes a server sends, they become a document that can be stored, or one sentence that says why not."""

from __future__ import annotations

import gzip
import io
import re
import zipfile
import zlib
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cgsync.formats import BodyOptions, CsvOptions, Limits, Malformed, Workers, decode_body, decode_settings

TOKENS = [
    b"{", b"}", b"[", b"]", b":", b",", b'"a"', b"1", b"null", b'{"a":1}', b"\n", b"\r\n", b" ", b";", b'"', b"NaN",
    b"\\u0000", b"\\ud800", b"1e999", b"9" * 500, b"<a>", b"</a>", b"<a b='1'>", b"<a/>", b"&amp;", b"&#0;", b"&x;",
    b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<!DOCTYPE a>", b"<?xml version='1.0'?>", b"<html>", b"<title>x</title>",
    b"\x00", b"\xff", b"\xc3\xa4", b"\xef\xbb\xbf", b"\xff\xfe", b"\x1f\x8b", b"PK\x03\x04", b"a,b\n1,2\n",
    b"x;y\n3;4\n", b"sep=;\n",
]  # fmt: skip
soup = st.lists(st.one_of(st.sampled_from(TOKENS), st.binary(max_size=4)), max_size=40).map(b"".join)


def zipped(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../a", content)
        archive.writestr("b.csv", content)
    return packed.getvalue()


bodies = st.one_of(soup, soup.map(gzip.compress), soup.map(zipped), soup.map(zlib.compress))
options = st.builds(
    BodyOptions,
    format=st.sampled_from(["auto", "auto", "json", "jsonl", "csv", "xml", "text"]),
    compression=st.sampled_from(["auto", "auto", "none", "gzip", "zip", "deflate"]),
    member=st.sampled_from(["*", "*.csv"]),
    encoding=st.sampled_from([None, None, None, "utf-8", "cp1252", "utf-16", "shift_jis"]),
    csv=st.builds(CsvOptions, header=st.sampled_from([True, False]), quote=st.sampled_from(['"', ""])),
    text=st.sampled_from(["lines", "whole"]),
    lists=st.sampled_from([(), ("a",)]),
    limits=st.sampled_from([Limits(), Limits(record=40, columns=5, depth=3)]),
    expanded=st.sampled_from([1000, 1_000_000]),
)
types = st.sampled_from(
    [
        "",
        "application/json",
        "text/csv; charset=cp1252",
        "text/xml",
        "application/x-ndjson",
        "text/html",
        "x/y; charset=utf-16",
    ]
)


def strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for pair in value.items() for each in pair for text in strings(each)]
    if isinstance(value, list):
        return [text for each in value for text in strings(each)]
    return [value] if isinstance(value, str) else []


@settings(max_examples=250)
@given(raw=bodies, options=options, content_type=types, name=st.sampled_from(["", "a.csv", "a.json.gz"]))
def test_any_body_is_a_document_or_a_sentence(raw: bytes, options: BodyOptions, content_type: str, name: str) -> None:
    words, document = "", None
    try:
        document = decode_body(raw, options, content_type=content_type, name=name).document
    except Malformed as error:
        words = error.message or "no words at all: \n"
    assert words.isprintable()
    assert len(words) < 700
    assert msgspec.json.decode(msgspec.json.encode(document)) == document
    for text in strings(document):
        assert "\x00" not in text
        text.encode()


HOSTILE = {
    "brackets": b"[" * 2_000_000,
    "braces": b'{"a":' * 500_000,
    "numbers": b"[" + b"9" * 2_000_000 + b"]",
    "escapes": b'["' + b"\\u0000" * 1_000_000 + b'"]',
    "empty lists": b"[" + b"[]," * 1_200_000 + b"[]]",
    "open tags": b"<a>" * 1_000_000,
    "attributes": b"<a " + b"".join(b"b%d='' " % n for n in range(200_000)) + b"/>",
    "entities": b"<a>" + b"&lt;" * 1_000_000 + b"</a>",
    "comments": b"<!--" * 1_000_000,
    "open quotes": b"a,b\n" + b'x","\n' * 50_000,
    "a wide table": b"," * 999 + b"\n" + (b"," * 999 + b"\n") * 1500,
    "gzip of blanks": gzip.compress(b" " * 30_000_000, 1),
    "gzip of nothings": gzip.compress(b"") * 20_000,
    "gzip of gzip": gzip.compress(gzip.compress(b"[1]" * 1000)),
    "zip of zip": zipped(zipped(b"[1]")),
    "many files": None,
}  # fmt: skip


def many_files() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number in range(20_000):
            archive.writestr(f"../{number}", b"")
    return packed.getvalue()


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_body_is_done_with_in_time_and_memory(name: str) -> None:
    """Far below the limits, so that none of them has to end it, and without harm to the next body."""
    async with Workers(memory=700 * 1024 * 1024) as workers:
        for content_type in ("application/json", "text/csv", "text/xml"):
            words = await words_for(workers, HOSTILE[name] or many_files(), content_type)
            assert not re.search("seconds|memory|failed with|died", words)
        assert (await workers.decode(b"<a/>", decode_settings({}))).document == {"a": None}


async def words_for(workers: Workers, body: bytes, content_type: str) -> str:
    try:
        await workers.decode(body, decode_settings({}), content_type=content_type)
    except Malformed as error:
        return error.message
    return ""
