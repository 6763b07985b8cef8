"""What a server says that a body is: the Content-Type header."""

from __future__ import annotations

import codecs
import re

CHARSET = re.compile(r";\s*charset\s*=\s*[\"']?([A-Za-z0-9._:-]{1,40})", re.IGNORECASE)
LINES_OF_JSON = frozenset((
    "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonl", "application/jsonlines",
    "application/x-jsonlines", "application/json-lines", "application/x-json-stream", "text/jsonl",
))  # fmt: skip
TABLES = frozenset(("text/csv", "application/csv", "text/x-csv", "text/comma-separated-values",
                    "text/tab-separated-values"))  # fmt: skip

NO_CHARSETS = frozenset(("idna", "punycode", "raw-unicode-escape", "unicode-escape", "utf-7"))
"""Encodings for other ends; the time that some of them take grows with the square of the length."""


def format_of(content_type: str) -> str:
    """``json``, ``jsonl``, ``csv``, ``xml``, or ``""`` where the header says nothing that can be relied on."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind in LINES_OF_JSON:
        return "jsonl"
    if kind in TABLES:
        return "csv"
    if kind in ("application/json", "text/json") or kind.endswith("+json"):
        return "json"
    if kind in ("application/xml", "text/xml") or (kind.endswith("+xml") and kind != "application/xhtml+xml"):
        return "xml"
    return ""


def charset_of(content_type: str) -> str | None:
    """Python's name of the charset, or ``None`` where none is named or Python has no such text encoding."""
    match = CHARSET.search(content_type)
    return text_encoding(match[1]) if match else None


def text_encoding(name: str) -> str | None:
    """Python's name of an encoding of text, or ``None``: it has none, or it is none that a document is written in."""
    try:
        "".encode(name)  # refused by encodings of bytes, as zip is
        codec = codecs.lookup(name).name
    except (LookupError, ValueError):
        return None
    return None if codec in NO_CHARSETS else codec
