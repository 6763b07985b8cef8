"""Which format a body has, by what the server calls it, by a name, and then by what is in it."""

from __future__ import annotations

from pathlib import PurePath

from cgsync.formats.detection import HEAD, in_lines
from cgsync.formats.dialect import CANDIDATES, frequent
from cgsync.formats.encoding import readable
from cgsync.formats.mediatype import format_of
from cgsync.formats.seen import evident, unexpected, xml

SUFFIXES = {
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".ndjson": "jsonl",
    ".jsonl": "jsonl",
    ".json": "json",
    ".xml": "xml",
}


def guess(body: bytes, content_type: str, name: str) -> str:
    """``json``, ``jsonl``, ``csv`` or ``xml``. Raises :class:`Malformed` for what could be anything."""
    claimed = format_of(content_type) or SUFFIXES.get(PurePath(name).suffix.lower(), "")
    if claimed == "json":
        return "jsonl" if in_lines(readable(body[:HEAD])) else "json"
    return claimed or _by_content(body)


def _by_content(body: bytes) -> str:
    text = readable(body[:HEAD]).lstrip()
    if text.startswith(("{", "[")):
        return "jsonl" if in_lines(text) else "json"
    if xml(body):
        return "xml"
    if evident(body) or "\0" in text or not tabular(text):
        raise unexpected("JSON, CSV or XML", body)
    return "csv"


def tabular(text: str) -> bool:
    """Whether the first two lines have the same delimiter, equally often."""
    first, second = ([line for line in text.splitlines() if line.strip()] + ["", ""])[:2]
    delimiter = frequent(first, '"')
    return delimiter in CANDIDATES and 0 < first.count(delimiter) == second.count(delimiter)
