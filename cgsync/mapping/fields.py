"""The fields of an activity: its leaves in order, and the shape that puts their values together again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from cgsync.mapping.spec import ARRAY, OBJECT, Path

Shape = int | dict[str, "Shape"] | list["Shape"]
"""A number is the place of a value."""


class Kind(Enum):
    """What a field's value becomes."""

    REFERENCE = "reference"
    TEXT = "text"
    TIME = "time"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One leaf of ``activity:``; ``value`` is a template as text, or a constant."""

    path: Path
    kind: Kind
    value: Any

    @property
    def label(self) -> str:
        return ".".join(str(part) for part in self.path)


def fields_of(activity: Mapping[str, Any]) -> list[Field]:
    """The leaves of an activity, without its condition."""
    return [field for key in activity if key != "when" for field in _leaves((key,), _kind(key), activity[key])]


def shape_of(fields: Sequence[Field]) -> dict[str, Shape]:
    """Where the value of each field goes, by its place in ``fields``."""
    tree: dict[str | int, Any] = {}
    for place, field in enumerate(fields):
        node = tree
        for part in field.path[:-1]:
            node = node.setdefault(part, {})
        node[field.path[-1]] = place
    return {str(key): _listed(node) for key, node in tree.items()}


def assemble(shape: Mapping[str, Shape], values: Sequence[Any]) -> dict[str, Any]:
    """The object with the values in their places; what is null or empty is left out."""
    body: dict[str, Any] = {}
    for key, part in shape.items():
        value = values[part] if type(part) is int else _assembled(part, values)
        if value is not None and value not in ("", {}):
            body[key] = value
    return body


def _assembled(part: Shape, values: Sequence[Any]) -> Any:
    if isinstance(part, dict):
        return assemble(part, values)
    if isinstance(part, list):
        return [_assembled(each, values) for each in part]
    return values[part]


def _kind(key: str) -> Kind:
    if key == OBJECT:
        return Kind.JSON
    return {"reference": Kind.REFERENCE, "happened_at": Kind.TIME}.get(key, Kind.TEXT)


def _leaves(path: Path, kind: Kind, value: Any) -> list[Field]:
    whole = path in {(OBJECT,), (ARRAY,)}
    if value and (kind is Kind.JSON or whole):
        if isinstance(value, Mapping):
            return [field for key, each in value.items() for field in _leaves((*path, str(key)), kind, each)]
        if isinstance(value, (list, tuple)) and not whole:
            return [field for place, each in enumerate(value) for field in _leaves((*path, place), kind, each)]
    # one expression may give the whole array of texts
    return [Field(path=path, kind=Kind.JSON if path == (ARRAY,) else kind, value=value)]


def _listed(node: Any) -> Shape:
    """The tree with lists where its keys are places."""
    if not isinstance(node, dict):
        place: int = node
        return place
    if all(isinstance(key, int) for key in node):
        return [_listed(each) for each in node.values()]
    return {str(key): _listed(each) for key, each in node.items()}
