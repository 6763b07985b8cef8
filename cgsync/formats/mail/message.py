"""A message as a whole: from its bytes to the fields of a ``Mail``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from cgsync.formats.mail import addresses
from cgsync.formats.mail.automatic import reasons
from cgsync.formats.mail.contents import contents_of
from cgsync.formats.mail.dates import date_of
from cgsync.formats.mail.headers import FIELD, Headers
from cgsync.formats.mail.ids import ids_in
from cgsync.formats.mail.keys import key_of
from cgsync.formats.mail.model import MailOptions
from cgsync.formats.mail.structure import structure_of
from cgsync.formats.mail.trimming import trimmed
from cgsync.formats.mail.words import header_text
from cgsync.formats.records import Malformed

ENVELOPE = re.compile(rb"\s*(?:>?From [^\n]*\n)?")
"""What some stores put in front of a message."""


def decode(payload: bytes, options: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields of a :class:`Mail`, in a worker process. Raises :class:`Malformed` for what is no message."""
    return read(payload, msgspec.convert(options, MailOptions))


def read(raw: bytes, options: MailOptions) -> dict[str, Any]:
    message = bare(raw)
    structure = structure_of(message, options.limits)
    headers = structure.headers
    contents = contents_of(structure.parts, options.limits)
    key, sender = key_of(message), addresses.first(headers.first("from"))
    automatic = reasons(structure, sender["address"] or "")
    data = {
        **_conversation(headers, key),
        "from": sender,
        "reply_to": addresses.first(headers.first("reply-to")),
        "to": addresses.addresses(b", ".join(headers.every("to"))),
        "cc": addresses.addresses(b", ".join(headers.every("cc"))),
        "subject": headers.text("subject"),
        **_date(headers),
        "text": contents.text,
        "trimmed": trimmed(contents.text, options),
        "html": contents.html or None,
        "attachments": contents.attachments,
        "headers": _by_name(headers),
        "size": len(raw),
        "automatic": automatic,
        "truncated": sorted(structure.cut | contents.cut),
    }
    return {"key": key, "automatic": automatic, "data": data}


def bare(raw: bytes) -> bytes:
    """The message from its first header on, in lines that end with a line feed. Raises :class:`Malformed`."""
    if b"\n" not in raw:
        raw = raw.replace(b"\r", b"\n")
    start = ENVELOPE.match(raw)
    message = raw[start.end() :] if start else raw
    if not message:
        raise Malformed("the message is empty", raw=raw)
    if not FIELD.match(message):
        raise Malformed("this is no e-mail message: it does not begin with a header", raw=raw)
    return message


def _conversation(headers: Headers, key: str) -> dict[str, Any]:
    own, answered, references = (ids_in(headers.first(name)) for name in ("message-id", "in-reply-to", "references"))
    return {
        "message_id": next(iter(own), None),
        "in_reply_to": next(iter(answered), None),
        "references": references,
        "thread_id": next(iter([*references, *answered, *own, key])),
    }


def _date(headers: Headers) -> dict[str, str | None]:
    date, error = date_of(headers.text("date"))
    return {"date": date, "date_error": error}


def _by_name(headers: Headers) -> dict[str, str]:
    lines: dict[str, list[str]] = {}
    for name, value in headers.fields:
        lines.setdefault(name, []).append(header_text(value))
    return {name: "\n".join(values) for name, values in lines.items()}
