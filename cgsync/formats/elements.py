"""XML as dictionaries: what is inside an element under its tag, attributes under ``@name``, text under ``#text``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from xml.parsers import expat

from cgsync.formats.encoding import as_utf8, believed, marked
from cgsync.formats.mediatype import text_encoding
from cgsync.formats.options import Limits
from cgsync.formats.records import Malformed
from cgsync.formats.seen import ending, unexpected, xml

DECLARED = re.compile(rb"\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
ELEMENTS = 1_000_000
ATTRIBUTES = 200
UNFINISHED = {
    expat.errors.codes[name]
    for name in (expat.errors.XML_ERROR_NO_ELEMENTS, expat.errors.XML_ERROR_UNCLOSED_TOKEN,
                 expat.errors.XML_ERROR_PARTIAL_CHAR, expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION)
}  # fmt: skip


def read(body: bytes, *, encoding: str | None, charset: str | None, lists: Sequence[str], limits: Limits) -> Any:
    """The document as ``{tag: …}``; an element is text, ``None`` where it is empty, or a dictionary.

    Tags that come several times are a list, and so is each of ``lists``. Prefixes of namespaces stay as they are
    written. Raises :class:`Malformed`, also for any DOCTYPE: what it can declare is only ever used to do harm.
    """
    if not body.strip() or not (xml(body) or marked(body) or encoding or charset):
        raise unexpected("XML", body)
    raw = _text(body, encoding or _declared(body) or believed(body, charset))
    tree = Tree(lists, limits)
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _no_doctype
    parser.StartElementHandler = tree.start
    parser.EndElementHandler = tree.end
    parser.CharacterDataHandler = tree.text
    try:
        parser.Parse(raw, True)
    except expat.ExpatError as error:
        raise _malformed(error, body) from None
    except Malformed as error:
        raise Malformed(
            error.message, offset=parser.CurrentByteIndex, line=parser.CurrentLineNumber, raw=body, hint=error.hint
        ) from None
    return tree.root


class Tree:
    """The elements that are open, from the outside in, each with what is in it so far."""

    def __init__(self, lists: Sequence[str], limits: Limits) -> None:
        self.root: dict[str, Any] = {}
        self._lists = frozenset(lists)
        self._depth = limits.depth
        self._open: list[dict[str, Any]] = [self.root]
        self._texts: list[list[str]] = [[]]
        self._left = ELEMENTS

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._left -= 1
        if self._left < 0:
            raise Malformed(f"it has more than {ELEMENTS} elements")
        if len(self._open) > self._depth:
            raise Malformed(f"nested deeper than {self._depth} levels")
        if len(attributes) > ATTRIBUTES:
            raise Malformed(f"<{tag[:40]}> has {len(attributes)} attributes, at most {ATTRIBUTES} are allowed")
        self._open.append({f"@{name}": value for name, value in attributes.items()})
        self._texts.append([])

    def text(self, text: str) -> None:
        self._texts[-1].append(text)

    def end(self, tag: str) -> None:
        fields, text = self._open.pop(), "".join(self._texts.pop()).strip()
        if text and fields:
            fields["#text"] = text
        self._add(tag, fields or text or None)

    def _add(self, tag: str, value: Any) -> None:
        parent = self._open[-1]
        if tag not in parent:
            parent[tag] = [value] if tag in self._lists else value
        elif isinstance(parent[tag], list):
            parent[tag].append(value)
        else:
            parent[tag] = [parent[tag], value]


def _text(body: bytes, encoding: str | None) -> bytes:
    try:
        return as_utf8(body, encoding)
    except ValueError as error:
        raise Malformed(f"{error}", raw=body, hint="say `encoding:`") from None


def _declared(body: bytes) -> str | None:
    declared = DECLARED.match(body)
    return text_encoding(declared[1].decode()) if declared else None


def _no_doctype(*_: object) -> None:
    raise Malformed("it has a DOCTYPE, and none is read: it could name files, or grow without end")


def _malformed(error: expat.ExpatError, body: bytes) -> Malformed:
    if error.code in UNFINISHED:
        reason, hint = f'the XML ends in the middle, after "{ending(body)}"', "was it cut short on its way?"
    else:
        place = f"line {error.lineno}, column {error.offset + 1}"
        reason, hint = f"not XML: {expat.errors.messages[error.code]} at {place}", ""
    return Malformed(reason, line=error.lineno, raw=body, hint=hint)
