"""What the value of a template becomes, by the kind of its field; the same for constants."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from cgsync.mapping.dates import api_time, read_time
from cgsync.mapping.fields import Kind
from cgsync.mapping.references import fitted
from cgsync.mapping.spec import MappingSpec
from cgsync.mapping.values import Unfit, json_value, text

Convert = Callable[[Any], Any]


def conversions(spec: MappingSpec) -> Mapping[Kind, Convert]:
    """One function a kind of field; each raises :class:`Unfit`, and returns ``None`` for what is left out."""
    return {
        Kind.REFERENCE: reference,
        Kind.TEXT: text,
        Kind.TIME: partial(_time, spec),
        Kind.JSON: json_value,
    }


def reference(value: object) -> str:
    """A reference of at most 128 characters; an empty one is refused rather than replaced by another."""
    words = text(value)
    if not words:
        raise Unfit("is empty; an activity without a reference would be a new one each time")
    return fitted(words)


def _time(spec: MappingSpec, value: object) -> str | None:
    if value is None or value == "":
        return None
    return api_time(read_time(value, spec.timezone), spec.timestamps)
