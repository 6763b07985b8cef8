"""What bytes look like, in words for the person who expected something else."""

from __future__ import annotations

import codecs
import re
from html import unescape

from cgsync.formats.encoding import readable
from cgsync.formats.records import Malformed

SHOWN = 200
HEAD = 64 * 1024
MARKS_OF_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
HTML = re.compile(rb"<(?:!doctype\s+html|(?:html|head|body|title|script|meta)\b)", re.IGNORECASE)
MARKUP = re.compile(rb"<[A-Za-z_?!\x80-\xff]")
COMMENT = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<!--.*?-->\s*)*", re.DOTALL)
TITLE = re.compile(rb"<title[^>]{0,200}>([^<]{1,400})", re.IGNORECASE)
SPREADSHEET = re.compile(rb"\[Content_Types\]\.xml|mimetypeapplication/vnd\.oasis")
MAGIC = (
    (b"\x1f\x8b", "gzip"),
    (b"PK\x03\x04", "a ZIP archive or a spreadsheet"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\xd0\xcf\x11\xe0", "an old Office file"),
    (b"%PDF", "a PDF"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"(\xb5/\xfd", "zstd"),
    (b"<?xml", "XML"),
)


def unexpected(expected: str, body: bytes) -> Malformed:
    """For instance ``expected JSON, got an HTML page "Sign in"``."""
    hint = "are the address and the login right?" if html(body) else ""
    return Malformed(f"expected {expected}, got {seen(body)}", raw=body, hint=hint)


def seen(body: bytes) -> str:
    """For instance ``an HTML page "Sign in"``, ``nothing: it is empty``, or ``"`` the first 200 characters ``"``."""
    if not body.strip():
        return "nothing: it is empty"
    return evident(body) or f'"{beginning(body)}"'


def evident(body: bytes) -> str:
    """What the bytes evidently are, or ``""`` where they could be anything; JSON and CSV are never evident."""
    if html(body):
        title = _title(body)
        return f'an HTML page "{title}"' if title else "an HTML page"
    if SPREADSHEET.search(body[:128]):
        return "a spreadsheet"
    head = _head(body).removeprefix(codecs.BOM_UTF8)
    return next((words for magic, words in MAGIC if head.startswith(magic)), "")


def html(body: bytes) -> bool:
    head = _head(body)
    return HTML.match(head, _start(head)) is not None


def xml(body: bytes) -> bool:
    """Whether it starts as XML does, with a declaration or a tag."""
    head = _head(body)
    return MARKUP.match(head, _start(head)) is not None and not html(body)


def beginning(body: bytes) -> str:
    """The first 200 characters, in one line and without what a terminal would obey."""
    return shown(_head(body)[: 4 * SHOWN].decode("utf-8", "replace"))


def ending(body: bytes) -> str:
    """The last 40 characters."""
    return shown(body[-160:].decode("utf-8", "replace"))[-40:]


def shown(text: str) -> str:
    words = " ".join(text.split())
    plain = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in words)
    return plain if len(plain) <= SHOWN else plain[: SHOWN - 1] + "…"


def _head(body: bytes) -> bytes:
    return readable(body[:HEAD]).encode() if body.startswith(MARKS_OF_UTF16) else body[:HEAD]


def _start(head: bytes) -> int:
    match = COMMENT.match(head)
    return match.end() if match else 0


def _title(body: bytes) -> str:
    match = TITLE.search(_head(body))
    return shown(unescape(match[1].decode("utf-8", "replace"))) if match else ""
