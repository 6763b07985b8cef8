"""One whole body, as an answer brings it, to a document: what it is, what is around it, and what it holds."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cgsync.formats import detection
from cgsync.formats.encoding import prepared
from cgsync.formats.options import BodyOptions, DecodeOptions
from cgsync.formats.records import Decoded, Malformed, Undecodable
from cgsync.formats.strictjson import parse


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


def decode_body(body: bytes, options: BodyOptions, *, content_type: str = "", name: str = "") -> Body:
    """The body as a document; ``content_type`` as the server sent it, ``name`` a file's name, both may be empty.

    It takes its time and memory here and now; :class:`cgsync.formats.Workers` is the way for a stranger's bytes.
    Raises :class:`Malformed` with what was seen.
    """
    form = options.format if options.format != "auto" else guessed(body, content_type, name)
    if form == "json":
        return _json(body, options, options.encoding)
    return _records(body, form, options, options.encoding)


def guessed(body: bytes, content_type: str, name: str) -> str:
    if "json" in content_type:
        return "json"
    form = detection.detect(name, io.BytesIO(body))
    return {"ndjson": "jsonl"}.get(form, form)


def _json(body: bytes, options: BodyOptions, encoding: str | None) -> Body:
    stream, encoding, start = prepared(io.BytesIO(body), encoding)
    stream.seek(start)
    try:
        document, cleaned = parse(stream.read(), depth=options.limits.depth, encoding=encoding)
    except ValueError as error:
        raise Malformed(str(error), raw=body) from None
    return Body(document=document, format="json", cleaned=cleaned)


def _records(body: bytes, form: str, options: BodyOptions, encoding: str | None) -> Body:
    decoding = DecodeOptions(
        format={"jsonl": "ndjson"}.get(form, form), encoding=encoding, csv=options.csv, limits=options.limits
    )
    items = list(detection.decode(io.BytesIO(body), decoding))
    records = [item for item in items if isinstance(item, Decoded)]
    return Body(
        document=[item.data for item in records],
        format=form,
        rejects=[item for item in items if isinstance(item, Undecodable)],
        cleaned=sum(item.cleaned for item in records),
    )
