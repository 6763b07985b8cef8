"""Which format a file has, by its name and its content."""

from __future__ import annotations

import io

import pytest

from cgsync.formats import Malformed, detect
from cgsync.formats.encoding import transparent


@pytest.mark.parametrize(
    ("name", "content", "form"),
    [
        ("a.csv", b"{}", "csv"),
        ("a.TSV", b"x", "csv"),
        ("a.jsonl", b"x", "ndjson"),
        ("a.json", b' [{"a":1}]', "json"),
        ("a.json", b'{"a":1}\n{"a":2}\n', "ndjson"),
        ("a.json", b'{"a":\n1}\n{"a":2}\n', "json"),
        ("a.txt", b"a;b\n1;2\n", "csv"),
        ("a", "[1]".encode("utf-16"), "json"),
        ("a.txt", b"", "csv"),
    ],
)
def test_extension_first_then_content(name: str, content: bytes, form: str) -> None:
    assert detect(name, io.BytesIO(content)) == form


@pytest.mark.parametrize(
    "content", [b"\x1f\x8b\x08", b"PK\x03\x04xx", b"%PDF-1.7", b"<?xml version='1.0'?>", b"<html><title>x"]
)
def test_what_is_evidently_another_format_is_named(content: bytes) -> None:
    with pytest.raises(Malformed, match="which cannot be read here"):
        detect("a.csv", io.BytesIO(content))


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(Malformed, match="not text"):
        detect("a.bin", io.BytesIO(b"ab\0\1\2cd"))


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "iso8859-15", "koi8-r"])
def test_brackets_can_be_found_in_bytes_of(encoding: str) -> None:
    assert transparent(encoding)


@pytest.mark.parametrize("encoding", ["utf-16-le", "shift_jis", "gbk", "big5", "cp037"])
def test_brackets_cannot_be_found_in_bytes_of(encoding: str) -> None:
    assert not transparent(encoding)
