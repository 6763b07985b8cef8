"""The options of a schema as a list, for a person to read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cgsync.plugins.vocabulary import SECRET, VOCABULARY

DEEPEST = 6
"""levels; a schema that refers to itself has no last one"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """``path`` has dots, and ``[]`` for the items of a list. ``kind`` is its type or its choice, in words."""

    path: str
    kind: str
    required: bool
    secret: bool
    default: Any
    description: str


def described(schema: Mapping[str, Any]) -> list[Option]:
    """Every option in the order of the schema, each once; what stands below others follows them."""
    found: dict[str, Option] = {}
    for option in _members(schema, schema, "", 0):
        found.setdefault(option.path, option)
    return list(found.values())


def _members(schema: Mapping[str, Any], root: Mapping[str, Any], path: str, depth: int) -> Iterator[Option]:
    for part in _parts(schema, root) if depth < DEEPEST else ():
        for name, below in part.get("properties", {}).items():
            if isinstance(below, Mapping):
                yield _option(f"{path}{name}", below, root, required=name in part.get("required", ()))
                yield from _members(below, root, f"{path}{name}.", depth + 1)
        if isinstance(items := part.get("items"), Mapping):
            yield from _members(items, root, f"{path.removesuffix('.')}[].", depth + 1)


def _option(path: str, schema: Mapping[str, Any], root: Mapping[str, Any], *, required: bool) -> Option:
    parts = list(_parts(schema, root))
    return Option(
        path=path,
        kind=_kind(schema, parts),
        required=required,
        secret=any(part.get(SECRET) is True for part in parts),
        default=next((part["default"] for part in parts if "default" in part), None),
        description=next((str(part["description"]) for part in parts if "description" in part), ""),
    )


def _kind(schema: Mapping[str, Any], parts: list[Mapping[str, Any]]) -> str:
    if (reference := schema.get("$ref")) in VOCABULARY:
        return str(reference).removeprefix("cgsync:")
    if choices := next((part["enum"] for part in parts if "enum" in part), None):
        return " | ".join(map(str, choices))
    kinds: dict[str, None] = {}
    for part in parts:
        types = part.get("type", ())
        kinds |= dict.fromkeys([types] if isinstance(types, str) else types)
    return " or ".join(kinds)


def _parts(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The schema and all that it is put together of, whichever form is meant."""
    yield schema
    if isinstance(reference := schema.get("$ref"), str):
        yield from _parts(_referred(reference, root), root)
    below = [schema.get(keyword) for keyword in ("then", "else")]
    for each in [*below, *(form for keyword in ("allOf", "oneOf", "anyOf") for form in schema.get(keyword, ()))]:
        if isinstance(each, Mapping):
            yield from _parts(each, root)


def _referred(reference: str, root: Mapping[str, Any]) -> Mapping[str, Any]:
    if reference in VOCABULARY:
        return VOCABULARY[reference]
    found: Any = root
    for step in reference.removeprefix("#/").split("/"):
        found = found.get(step, {})
    return found if isinstance(found, Mapping) else {}
