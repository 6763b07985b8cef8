"""One whole body, as an answer brings it, to a document: what is around it, what it is, and what it holds."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, TypeAlias

from cgsync.formats import delimited, elements, lines, prose, wholejson
from cgsync.formats.compression import Member, packing, unpacked
from cgsync.formats.encoding import believed
from cgsync.formats.guessing import guess
from cgsync.formats.mediatype import charset_of
from cgsync.formats.options import BodyOptions, DecodeOptions
from cgsync.formats.records import START, Decoded, Malformed, Undecodable
from cgsync.formats.seen import evident, seen, unexpected

REJECTS = 10_000
"""Rows that cannot be read, until the body as a whole is taken for something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What a body holds. ``document`` is JSON-like: all of a JSON or XML, a list of records of anything else.

    ``format`` and ``compression`` are what it was taken for. ``rejects`` are rows of a CSV or of JSON Lines that could
    not be read; ``cleaned`` counts characters that no store takes (NUL, lone surrogates) and that were removed.
    """

    document: Any
    format: str
    compression: str = "none"
    rejects: Sequence[Undecodable] = ()
    cleaned: int = 0


Reader: TypeAlias = Callable[[bytes, BodyOptions, str | None], Body]
"""From the bytes of one file, and the charset that a server named, to its content."""


def decode_body(body: bytes, options: BodyOptions, *, content_type: str = "", name: str = "") -> Body:
    """The body as a document; ``content_type`` as the server sent it, ``name`` a file's name, both may be empty.

    It takes its time and memory here and now; :class:`cgsync.formats.Workers` is the way for a stranger's bytes.
    Raises :class:`Malformed` with what was seen.
    """
    kind = packing(body, options)
    if kind == "zip":
        content_type = ""  # it speaks of the archive
    members = unpacked(body, kind, name, options)
    read = _read_within if kind == "zip" else _read
    bodies = [read(member, options, content_type) for member in members]
    return replace(bodies[0] if len(bodies) == 1 else _joined(bodies, members), compression=kind)


def _read(member: Member, options: BodyOptions, content_type: str) -> Body:
    form = options.format if options.format != "auto" else guess(member.content, content_type, member.name)
    return READERS[form](member.content, options, charset_of(content_type))


def _read_within(member: Member, options: BodyOptions, content_type: str) -> Body:
    try:
        return _read(member, options, content_type)
    except Malformed as error:
        raise error.within(member.name) from None


def _joined(bodies: Sequence[Body], members: Sequence[Member]) -> Body:
    """Records one after another, whole documents as elements of a list."""
    documents = [body.document if isinstance(body.document, list) else [body.document] for body in bodies]
    rejects = [
        replace(reject, reason=f"{member.name}: {reject.reason}")
        for member, body in zip(members, bodies, strict=True)
        for reject in body.rejects
    ]
    return Body(
        document=[record for document in documents for record in document],
        format=bodies[0].format,
        rejects=rejects,
        cleaned=sum(body.cleaned for body in bodies),
    )


def _json(content: bytes, options: BodyOptions, charset: str | None) -> Body:
    encoding = options.encoding or believed(content, charset)
    document, cleaned = wholejson.read(content, encoding=encoding, depth=options.limits.depth)
    return Body(document=document, format="json", cleaned=cleaned)


def _jsonl(content: bytes, options: BodyOptions, charset: str | None) -> Body:
    _refuse_evident(content, "JSON Lines")
    body = _gathered("jsonl", lines.decode(io.BytesIO(content), _decoding(content, options, charset), START))
    if body.rejects and not body.document:
        raise Malformed(f"expected JSON Lines, got {seen(content)}; {body.rejects[0].reason}", raw=content)
    return body


def _csv(content: bytes, options: BodyOptions, charset: str | None) -> Body:
    _refuse_evident(content, "CSV")
    if wholejson.is_json(content):
        raise Malformed(f"expected CSV, got JSON: {seen(content)}", raw=content)
    return _gathered("csv", delimited.decode(io.BytesIO(content), _decoding(content, options, charset), START))


def _xml(content: bytes, options: BodyOptions, charset: str | None) -> Body:
    document = elements.read(
        content, encoding=options.encoding, charset=charset, lists=options.lists, limits=options.limits
    )
    return Body(document=document, format="xml")


def _text(content: bytes, options: BodyOptions, charset: str | None) -> Body:
    document, cleaned = prose.read(
        content, encoding=options.encoding or believed(content, charset), whole=options.text == "whole"
    )
    return Body(document=document, format="text", cleaned=cleaned)


READERS: Mapping[str, Reader] = MappingProxyType(
    {"json": _json, "jsonl": _jsonl, "csv": _csv, "xml": _xml, "text": _text}
)


def _refuse_evident(content: bytes, expected: str) -> None:
    if evident(content):
        raise unexpected(expected, content)


def _decoding(content: bytes, options: BodyOptions, charset: str | None) -> DecodeOptions:
    encoding = options.encoding or believed(content, charset)
    return DecodeOptions(format="", encoding=encoding, csv=options.csv, limits=options.limits)


def _gathered(form: str, items: Iterable[Decoded | Undecodable]) -> Body:
    records: list[dict[str, Any]] = []
    rejects: list[Undecodable] = []
    cleaned = 0
    for item in items:
        if isinstance(item, Undecodable):
            rejects.append(item)
        else:
            records.append(item.data)
            cleaned += item.cleaned
        if len(rejects) > REJECTS:
            raise Malformed(f"it has more than {REJECTS} bad rows; the first: {rejects[0].reason}", raw=rejects[0].raw)
    return Body(document=records, format=form, rejects=rejects, cleaned=cleaned)
