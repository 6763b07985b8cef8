"""Walks a tree beside its schema: numbers in text fields become text, secrets and units are marked, defaults filled in.

What is *wrong* is for the validator to say. This only finds out which part of the schema speaks about which value; of
several forms (``oneOf``, ``anyOf``) it follows the one that was evidently meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from cgsync.config.findings import meant
from cgsync.config.nodes import Node, filled_in, plain
from cgsync.plugins.vocabulary import KIND, SECRET, VOCABULARY

Schema: TypeAlias = "Mapping[str, Any]"

DEEPEST = 32
"""levels that defaults may add: a schema that refers to itself has no last one"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """Knows one schema."""

    root: Schema

    def settle(self, node: Node) -> Node:
        """The tree as the schema understands it, with defaults as nodes that have no span."""
        return self._settle(node, self.root, 0)

    def _settle(self, node: Node, schema: Any, depth: int) -> Node:
        schemas = list(self.speaking(schema, node))
        node = _scalar(node, schemas)
        if isinstance(node.value, list):
            return node.with_(value=[self._item(each, n, schemas, depth) for n, each in enumerate(node.value)])
        if isinstance(node.value, dict):
            members = {key: self._member(each, key, schemas, depth) for key, each in node.value.items()}
            return node.with_(value=members | dict(self._defaults(members, schemas, depth)))
        return node

    def _member(self, node: Node, key: str, schemas: Sequence[Schema], depth: int) -> Node:
        return self._settle_all(node, [each for schema in schemas for each in of_member(schema, key)], depth)

    def _item(self, node: Node, place: int, schemas: Sequence[Schema], depth: int) -> Node:
        return self._settle_all(node, [each for schema in schemas for each in _of_item(schema, place)], depth)

    def _settle_all(self, node: Node, schemas: Sequence[Any], depth: int) -> Node:
        return self._settle(node, schemas[0] if len(schemas) == 1 else {"allOf": list(schemas)}, depth + 1)

    def _defaults(
        self, members: Mapping[str, Node], schemas: Sequence[Schema], depth: int
    ) -> Iterator[tuple[str, Node]]:
        for schema in schemas if depth < DEEPEST else ():
            for key, below in schema.get("properties", {}).items():
                if key not in members and (found := self._default(below)):
                    yield key, self._settle(filled_in(found[0]), below, depth + 1)

    def _default(self, schema: Any) -> list[Any]:
        """The default in a list of one; an empty list when there is none."""
        for each in self._unfolded(schema):
            if "default" in each:
                return [each["default"]]
        return []

    def _unfolded(self, schema: Any) -> Iterator[Schema]:
        """The schema with what it refers to and what it is put together of."""
        if not isinstance(schema, Mapping):
            return
        yield schema
        if "$ref" in schema:
            yield from self._unfolded(self._referred(schema["$ref"]))
        for part in schema.get("allOf", ()):
            yield from self._unfolded(part)

    def speaking(self, schema: Any, node: Node) -> Iterator[Schema]:
        """All parts of the schema that speak about this very node."""
        for each in self._unfolded(schema):
            yield each
            for keyword in ("oneOf", "anyOf"):
                if forms := each.get(keyword):
                    yield from self.speaking(forms[self.form(forms, node)], node)
            if "if" in each:
                branch = "then" if self.fits(each["if"], node) else "else"
                yield from self.speaking(each.get(branch), node)

    def form(self, forms: Sequence[Any], node: Node) -> int:
        """Which of several forms was meant: the type decides, then the keys that are there."""
        return max(range(len(forms)), key=lambda number: self._likeness(forms[number], node))

    def _likeness(self, form: Any, node: Node) -> tuple[int, int, int]:
        parts = list(self._unfolded(form))
        types = {each for part in parts for each in _types(part)}
        known = {key for part in parts for key in part.get("properties", {})}
        required = {key for part in parts for key in part.get("required", ())}
        constants = (
            self.fits({"properties": {key: below}}, node) if key in node else False
            for part in parts
            for key, below in part.get("properties", {}).items()
            if isinstance(below, Mapping) and ("const" in below or "enum" in below)
        )
        given = {key for key, _ in node.items()}
        return (
            2 * _admits(types, node) + any(constants) + self.fits(form, node),
            len(given & (known | required)) - len(required - given),
            sum(bool(meant(key, known)) for key in given - known) - len(given - known),
        )

    def fits(self, schema: Any, node: Node) -> bool:
        return bool(validator(schema, self.root).is_valid(plain(node, defaults=False)))

    def _referred(self, reference: str) -> Any:
        if reference in VOCABULARY:
            return VOCABULARY[reference]
        if not reference.startswith("#"):
            return {}
        found: Any = self.root
        for step in reference[1:].split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            found = found[int(name)] if isinstance(found, Sequence) else found.get(name, {})
        return found


def validator(schema: Any, root: Schema | None = None) -> Any:
    """jsonschema's validator; what ``#`` refers to is ``root``. Nothing is ever fetched."""
    from jsonschema import Draft202012Validator  # costs more than all the rest of a check

    from cgsync.plugins.vocabulary import registry

    if root is None or schema is root:
        return Draft202012Validator(schema, registry=registry())
    resolver = Draft202012Validator(root, registry=registry())
    return resolver.evolve(schema=schema)


def of_member(schema: Schema, key: str) -> Iterator[Any]:
    """What a schema says about one member of a mapping."""
    import re

    matched = [below for pattern, below in schema.get("patternProperties", {}).items() if re.search(pattern, key)]
    if key in schema.get("properties", {}):
        matched.append(schema["properties"][key])
    yield from matched or [schema.get("additionalProperties", {})]


def _of_item(schema: Schema, place: int) -> Iterator[Any]:
    first: Sequence[Any] = schema.get("prefixItems", ())
    yield first[place] if place < len(first) else schema.get("items", {})


def _types(schema: Schema) -> list[str]:
    types = schema.get("type", [])
    return [types] if isinstance(types, str) else list(types)


def _admits(types: set[str], node: Node) -> bool:
    """May the node be of one of these types? A number may be text."""
    return not types or bool(types & _kinds(node)) or ("string" in types and _is_number(node.value))


def _kinds(node: Node) -> set[str]:
    value = node.value
    if isinstance(value, bool):
        return {"boolean"}
    if isinstance(value, int):
        return {"integer", "number"}
    named = {float: "number", str: "string", dict: "object", list: "array", type(None): "null"}
    return {named[type(value)]}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _scalar(node: Node, schemas: Sequence[Schema]) -> Node:
    """Mark what the schema says about a value, and make text of a number where text is wanted."""
    kinds = ["secret" if schema.get(SECRET) is True else str(schema.get(KIND, "")) for schema in schemas]
    kind = next((each for each in kinds if each), "")
    types = [set(_types(schema)) for schema in schemas if "type" in schema]
    wants_text = bool(types) and all("string" in each for each in types)
    takes_it = all(each & _kinds(node) for each in types)
    from_outside = not node.literal and not node.failed and not isinstance(node.value, str)
    if wants_text and not takes_it and (_is_number(node.value) or from_outside):
        node = node.with_(value=node.text)
    return node.with_(secret=node.secret or kind == "secret", kind=kind)
