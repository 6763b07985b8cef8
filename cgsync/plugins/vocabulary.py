"""The words of option schemas: what a plain scalar means, durations, sizes, secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from referencing import Registry

Scalar: TypeAlias = "bool | int | float | str | None"

KIND = "x-cgsync"
"""marks the two schemas below, so that a mistake in one can be explained in words"""
SECRET = "x-secret"  # noqa: S105 - the name of a keyword, not a secret

_DURATION = r"([0-9]{1,6}w)?([0-9]{1,6}d)?([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?([0-9]{1,6}ms)?"
_SIZE = r"([0-9]{1,12})(?:\.([0-9]{1,3}))? ?((?:[kKMGT]i?)?)B"

VOCABULARY: Mapping[str, Mapping[str, Any]] = {
    "cgsync:duration": {
        KIND: "duration",
        "type": "string",
        "pattern": f"^(?=[0-9]){_DURATION}$",
        "description": "a number and a unit: 30s, 5m, 2h, 1d, 1h30m",
    },
    "cgsync:size": {
        KIND: "size",
        "type": "string",
        "pattern": f"^{_SIZE}$",
        "description": "a number and a unit: 512 B, 64 kB, 10 MiB, 1 GiB",
    },
}

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,99})")
_FLOAT = re.compile(r"-?(0|[1-9][0-9]{0,99})(\.[0-9]{1,99})?([eE][+-]?[0-9]{1,2})?")
_WORDS: Mapping[str, Scalar] = {"true": True, "false": False, "null": None, "~": None, "": None}
_PARTS = ("weeks", "days", "hours", "minutes", "seconds", "milliseconds")
_FACTORS = {
    "": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "t": 1000**4,
    "ki": 1024, "mi": 1024**2, "gi": 1024**3, "ti": 1024**4,
}  # fmt: skip


def typed(text: str) -> Scalar:
    """What an unquoted scalar means: true, false, null, decimal numbers; all else is text, ``010`` and ``yes`` too."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def duration(text: str) -> timedelta:
    """``1h30m`` as a timedelta; raises :class:`ValueError`."""
    found = re.fullmatch(_DURATION, text.strip())
    if not found or not any(found.groups()):
        raise ValueError(f"{text!r} is no duration")
    amounts = [int(part.rstrip("wdhms")) if part else 0 for part in found.groups()]
    return timedelta(**dict(zip(_PARTS, amounts, strict=True)))


def size(text: str) -> int:
    """``10 MiB`` in bytes; k is 1000, Ki is 1024; raises :class:`ValueError`."""
    found = re.fullmatch(_SIZE, text.strip())
    if not found:
        raise ValueError(f"{text!r} is no size")
    whole, fraction, unit = found.groups()
    thousandths = int((fraction or "").ljust(3, "0"))
    return int(whole) * _FACTORS[unit.lower()] + thousandths * _FACTORS[unit.lower()] // 1000


def registry() -> Registry[Any]:
    """What ``$ref: cgsync:…`` refers to; anything else that is remote is an error, never a request."""
    from referencing import Registry
    from referencing.jsonschema import DRAFT202012

    named = [(name, DRAFT202012.create_resource(schema)) for name, schema in VOCABULARY.items()]
    return Registry().with_resources(named)
