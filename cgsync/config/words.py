"""What a validator found, in words: what is wrong, where, and what to do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from cgsync.config.findings import Findings, meant
from cgsync.config.guide import Guide, Schema, validator
from cgsync.config.nodes import Node, Path_, plain
from cgsync.plugins.vocabulary import KIND

LONGEST = 60
"""characters of a value that are repeated in a message"""

_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "a mapping",
    "array": "a list",
    "null": "nothing",
}


def judge(node: Node, schema: Schema, path: Path_, findings: Findings) -> None:
    """Check a settled tree; every mistake becomes a finding at its place."""
    instance = plain(node, defaults=False)
    _Judging(node, Guide(root=schema), path, findings).report_all(validator(schema).iter_errors(instance))


class _Judging:
    """Translates the errors of one tree."""

    def __init__(self, root: Node, guide: Guide, path: Path_, findings: Findings) -> None:
        self._root = root
        self._guide = guide
        self._path = path
        self._findings = findings
        self._said: set[tuple[Path_, str]] = set()

    def report_all(self, errors: Iterable[Any]) -> None:
        """What is missing comes last: by then it is known what was misspelt."""
        for error in sorted(errors, key=lambda each: bool(each.validator == "required")):
            self.report(error)

    def report(self, error: Any) -> None:
        below: Path_ = tuple(error.absolute_path)
        node = self._root.at(below)
        if node.failed:
            return
        if "propertyNames" in error.absolute_schema_path:
            self._name(error, node, below)
            return
        match error.validator:
            case "oneOf" | "anyOf":
                self._of_form(error, node, below)
            case "additionalProperties" | "unevaluatedProperties":
                self._unknown(error, node, below)
            case "required":
                self._missing(error, node, below)
            case _:
                self._wrong(error, node, below)

    def _of_form(self, error: Any, node: Node, below: Path_) -> None:
        """Only what is wrong with the form that was meant."""
        chosen = self._guide.form(error.validator_value, node)
        within = [each for each in error.context if each.relative_schema_path[0] == chosen]
        self.report_all(within)
        if not within:
            self._say(node, below, "fits more than one of the forms that it may have", "give the keys of one form only")

    def _unknown(self, error: Any, node: Node, below: Path_) -> None:
        known = list(error.schema.get("properties", {}))
        patterns = error.schema.get("patternProperties", {})
        help_ = f"known here: {', '.join(known)}" if known else "no option is known here"
        for key, each in node.items():
            wrong = each.span and key not in known and not any(re.search(pattern, key) for pattern in patterns)
            if wrong and self._once((*below, key), "unknown"):
                self._findings.unknown(each, (*self._path, *below, key), known, node, help=help_)

    def _name(self, error: Any, node: Node, below: Path_) -> None:
        each = node.get(str(error.instance)) or node
        if self._once((*below, str(error.instance)), "name"):
            help_ = _description(error.schema) or f"the form is {error.schema.get('pattern', error.validator)}"
            self._findings.key(each, (*self._path, *below, str(error.instance)), "this name cannot be used", help=help_)

    def _missing(self, error: Any, node: Node, below: Path_) -> None:
        path = (*self._path, *below)
        written = [key for key, each in node.items() if each.span]
        lacking = [
            key for key in error.validator_value if key not in written and not self._findings.is_meant(path, key)
        ]
        for name in lacking:
            if self._once((*below, name), "required"):
                help_ = _description(error.schema.get("properties", {}).get(name))
                self._findings.key(node, path, f'"{name}" is missing', help=help_)

    def _wrong(self, error: Any, node: Node, below: Path_) -> None:
        kind = error.schema.get(KIND) if isinstance(error.schema, Mapping) else None
        if kind:
            self._say(node, below, *_unit(kind, node, error.schema["description"]))
            return
        translate = _WORDS.get(str(error.validator))
        if translate is None:
            self._say(node, below, "is not allowed here", f"the rule is {error.validator}" if error.validator else "")
            return
        words, help_ = translate(error.validator_value, node)
        self._say(node, below, words, help_ or _description(error.schema))

    def _say(self, node: Node, below: Path_, words: str, help_: str = "") -> None:
        if self._once(below, words):
            self._findings.value(node, (*self._path, *below), words, help=help_)

    def _once(self, below: Path_, what: str) -> bool:
        fresh = (below, what) not in self._said
        self._said.add((below, what))
        return fresh


def shown(node: Node) -> str:
    """A value as a message may repeat it: not a secret, and not what came from outside."""
    if node.secret:
        return "this"
    if isinstance(node.value, dict | list):
        return "a mapping" if isinstance(node.value, dict) else "a list"
    if not node.literal:
        return node.written
    if isinstance(node.value, str):
        text = node.value if len(node.value) <= LONGEST else node.value[:LONGEST] + "…"
        return f'the text "{text}"'
    return "nothing" if node.value is None else node.text


def _unit(kind: str, node: Node, forms: str) -> tuple[str, str]:
    bare = node.text if isinstance(node.value, int | float) or node.text.isdecimal() else ""
    if not bare or node.secret:
        return f"must be a {kind}, not {shown(node)}", forms
    units = f"{bare}s, {bare}m or {bare}h" if kind == "duration" else f"{bare} B, {bare} kB or {bare} MiB"
    return f"must be a {kind}: the unit is missing", f"write {units}"


def _description(schema: Any) -> str:
    return str(schema.get("description", "")) if isinstance(schema, Mapping) else ""


def _type(types: Any, node: Node) -> tuple[str, str]:
    wanted = [types] if isinstance(types, str) else list(types)
    words = " or ".join(_TYPES[each] for each in wanted)
    return f"must be {words}, not {shown(node)}", _hint(wanted, node)


def _hint(wanted: Sequence[str], node: Node) -> str:
    """What a value that YAML users know otherwise should have looked like."""
    text = node.text
    if node.secret or not node.literal:
        return ""
    if "boolean" in wanted and text.lower() in ("yes", "no", "on", "off", "y", "n", "true", "false", "1", "0"):
        return f"write {'true' if text.lower() in ('yes', 'on', 'y', 'true', '1') else 'false'}, without quotes"
    if "string" in wanted and isinstance(node.value, bool):
        return f'put it in quotes: "{text}"'
    if {"integer", "number"} & set(wanted) and re.fullmatch(r"-?0*[0-9]{1,30}", text):
        return f"write {int(text)}, without leading zeros and quotes"
    if "string" in wanted and node.value is None:
        return 'write "" for an empty text, or leave the option out'
    return ""


def _one_of(values: Sequence[Any], node: Node) -> tuple[str, str]:
    words = [str(value).lower() if isinstance(value, bool) else str(value) for value in values]
    close = "" if node.secret or not node.literal else meant(node.text, words)
    asked = f', did you mean "{close}"?' if close else ""
    *most, last = words
    choice = f"{', '.join(most)} or {last}" if most else last
    return f"must be {choice}, not {shown(node)}{asked}", ""


def _count(singular: str, plural: str, *, least: bool) -> Callable[[Any, Node], tuple[str, str]]:
    def words(limit: Any, _node: Node) -> tuple[str, str]:
        side = "at least" if least else "at most"
        return f"must have {side} {limit} {singular if limit == 1 else plural}", ""

    return words


def _said(form: str) -> Callable[[Any, Node], tuple[str, str]]:
    def words(limit: Any, node: Node) -> tuple[str, str]:
        return form.format(limit=limit, value=shown(node)), ""

    return words


_WORDS: Mapping[str, Callable[[Any, Node], tuple[str, str]]] = {
    "type": _type,
    "enum": _one_of,
    "const": lambda value, node: _one_of([value], node),
    "pattern": _said("does not have the form that is wanted: {value}"),
    "minimum": _said("must be at least {limit}, not {value}"),
    "maximum": _said("must be at most {limit}, not {value}"),
    "exclusiveMinimum": _said("must be more than {limit}, not {value}"),
    "exclusiveMaximum": _said("must be less than {limit}, not {value}"),
    "multipleOf": _said("must be a multiple of {limit}, not {value}"),
    "minLength": _count("character", "characters", least=True),
    "maxLength": _count("character", "characters", least=False),
    "minItems": _count("item", "items", least=True),
    "maxItems": _count("item", "items", least=False),
    "minProperties": _count("option", "options", least=True),
    "maxProperties": _count("option", "options", least=False),
    "uniqueItems": _said("holds an item twice"),
    "dependentRequired": _said("needs another option beside it: {limit}"),
}


def walk(node: Node, path: Path_ = ()) -> Iterator[tuple[Path_, Node]]:
    """Every node with its path, the root first."""
    yield path, node
    for step, each in node.children():
        yield from walk(each, (*path, step))
