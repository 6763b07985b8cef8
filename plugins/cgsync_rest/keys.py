"""What tells one record from another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from cgsync.api import SourceMisconfigured
from cgsync_rest.fields import field_of
from cgsync_rest.rendering import Compile, Variables, is_template, rendering

Key: TypeAlias = "Callable[[Any, Variables], str]"
"""From a record and the other variables to its key. Raises ``ValueError`` in words."""


def key_of(given: str | Sequence[str], compile_: Compile) -> Key:
    """The key that the options ask for: a field, several, or a template."""
    if not isinstance(given, str):
        fields = tuple(given)
        return lambda record, _: joined(record, fields)
    if not is_template(given):
        return lambda record, _: field_text(record, given)
    render = rendering(given, compile_)
    return lambda record, variables: rendered(given, render, {**variables, "record": record})


def rendered(given: str, render: Callable[[Variables], Any], variables: Mapping[str, Any]) -> str:
    try:
        value = render(variables)
    except SourceMisconfigured as error:
        raise ValueError(f"its key cannot be made: {error.message}") from None
    return text(value, given)


def joined(record: Any, fields: Sequence[str]) -> str:
    """Escaped, so that ("a:b", "c") and ("a", "b:c") stay two keys."""
    return ":".join(field_text(record, field).replace("\\", "\\\\").replace(":", "\\:") for field in fields)


def field_text(record: Any, field: str) -> str:
    return text(field_of(record, field), field)


def text(value: Any, what: str) -> str:
    if value is None:
        raise ValueError(f"there is no {what!r}, which is the key")
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(f"the key {what!r} is neither text nor a whole number")  # noqa: TRY004 - words of a reject
    if value == "":
        raise ValueError(f"the key {what!r} is empty")
    return str(value)
