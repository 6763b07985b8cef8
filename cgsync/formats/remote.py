"""What of decoding bodies is done in a worker process, and how it gets there and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import msgspec

from cgsync.formats.bodies import Body, decode_body
from cgsync.formats.compression import packing
from cgsync.formats.options import BodyOptions
from cgsync.formats.records import Resume, Undecodable
from cgsync.formats.seen import xml

FUNCTION = "cgsync.formats.remote:decode"
MAIL = "cgsync.formats.mail.message:decode"
SAVE = "cgsync.formats.mail.saving:save"
LARGE = 1024 * 1024
"""Bytes from which decoding in a thread would be noticed: msgspec keeps all other threads waiting for it."""


def risky(body: bytes, options: BodyOptions) -> bool:
    """Whether a process should do it: what is packed or XML, for its complicated decoders, and all that is large."""
    return packing(body, options) != "none" or len(body) > LARGE or (options.format in ("auto", "xml") and xml(body))


def described(options: BodyOptions, content_type: str, name: str) -> Mapping[str, Any]:
    """What :func:`decode` takes beside the body."""
    return {"options": asdict(options), "content_type": content_type, "name": name}


def decode(payload: bytes, job: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields of a :class:`Body`. Raises :class:`Malformed`."""
    options = msgspec.convert(job["options"], BodyOptions)
    body = decode_body(payload, options, content_type=job["content_type"], name=job["name"])
    rejects = [{**asdict(reject), "after": reject.after.as_json()} for reject in body.rejects]
    return {field.name: getattr(body, field.name) for field in fields(Body)} | {"rejects": rejects}


def body_of(plain: Mapping[str, Any]) -> Body:
    """What :func:`decode` gave, after its way through JSON."""
    return Body(**{**plain, "rejects": [_reject(each) for each in plain["rejects"]]})


def _reject(plain: Mapping[str, Any]) -> Undecodable:
    after, raw = Resume.from_json(plain["after"]), msgspec.convert(plain["raw"], bytes)
    return Undecodable(**{**plain, "raw": raw, "after": after})
