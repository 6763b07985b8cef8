"""The door from bytes to records: decoders with caps, exact positions and a state to go on from.

    for item in decode(stream, DecodeOptions(format="csv"), resume):
        match item:
            case Decoded(data=data, line=line, after=after): ...      a record, and where the next one starts
            case Undecodable(raw=raw, reason=reason, after=after): ... what could not be read; the stream goes on

A decoder reads a seekable binary stream in constant memory. Its ``Resume`` is small, is JSON by ``as_json``, and is
good for as long as the bytes before it do not change.

    async with Workers() as workers:
        body = await workers.decode(response.body, decode_settings(options), content_type="application/json")
        records = select(body.document, "$.tickets[*]")

A body is decoded whole: JSON, JSON Lines, CSV, XML or text, packed or not, told by itself unless it is said.

        mail = await workers.mail(raw, MailOptions())
        if not mail.automatic: ...                 a person wrote it; mail.key is its identity, mail.data the record
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cgsync.formats.bodies import Body, decode_body
from cgsync.formats.detection import FORMATS, decode, detect
from cgsync.formats.mail.languages import LANGUAGES
from cgsync.formats.mail.model import AUTOMATIC, Mail, MailLimits, MailOptions
from cgsync.formats.options import BodyOptions, CsvOptions, DecodeOptions, Limits
from cgsync.formats.paths import Path, compile_path, select
from cgsync.formats.records import START, Decoded, Malformed, Resume, Undecodable
from cgsync.formats.schema import CSV_SCHEMA, DECODE_SCHEMA, ENCODING_SCHEMA
from cgsync.formats.settings import csv_settings, decode_settings, known_encoding

if TYPE_CHECKING:
    from cgsync.formats.workers import Workers

__all__ = [
    "AUTOMATIC",
    "CSV_SCHEMA",
    "DECODE_SCHEMA",
    "ENCODING_SCHEMA",
    "FORMATS",
    "LANGUAGES",
    "START",
    "Body",
    "BodyOptions",
    "CsvOptions",
    "DecodeOptions",
    "Decoded",
    "Limits",
    "Mail",
    "MailLimits",
    "MailOptions",
    "Malformed",
    "Path",
    "Resume",
    "Undecodable",
    "Workers",
    "compile_path",
    "csv_settings",
    "decode",
    "decode_body",
    "decode_settings",
    "detect",
    "known_encoding",
    "select",
]


def __getattr__(name: str) -> Any:
    """Import what owns processes on first use: the processes import this package, too, and start quicker without it."""
    if name != "Workers":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from cgsync.formats.workers import Workers

    return Workers
