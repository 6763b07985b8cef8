"""Where each value of a body comes from: the expression that made it, and what that found in the record."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import TemplateError, meta, nodes

from cgsync.errors import CgsyncError
from cgsync.mapping.conversions import conversions
from cgsync.mapping.environment import Sandbox, open_context, open_sandbox
from cgsync.mapping.fields import Kind
from cgsync.mapping.filters import filters_for
from cgsync.mapping.mapper import FAULTS
from cgsync.mapping.spec import MappingSpec
from cgsync.mapping.templates import compile_fields, is_template

ENTRY = re.compile(r"(activity\[\d+\])\.(.+)", re.DOTALL)
"""A field of one activity of several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A path of the record that an expression uses, and what stands there; not ``found``: nothing does."""

    path: str
    found: bool
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A field of the body. ``value`` is ``None`` when it was left out; ``expression`` when the mapping names none."""

    field: str
    value: Any
    expression: str | None
    constant: bool
    origins: list[Origin]


def made(expressions: Mapping[str, str], body: Mapping[str, Any], record: Any) -> list[Made]:
    """Each field of the body in the order of the mapping, with those that the mapping names and that were left out.

    ``expressions`` are those of the one activity that the body is; ``record`` may be ``None`` when it is gone.
    """
    sandbox = open_sandbox({})
    values = dict(_leaves(expressions, body))
    names = [*(name for name in values if name not in expressions), *expressions]
    return [_made(sandbox, name, values.get(name), expressions.get(name), record) for name in names]


def entry_of(expressions: Mapping[str, str], reference: str, record: Any, spec: MappingSpec) -> Mapping[str, str]:
    """The expressions of the one activity of a mapping that gave the reference; empty when that cannot be told."""
    entries: dict[str, dict[str, str]] = {}
    for name, text in expressions.items():
        found = ENTRY.fullmatch(name)
        entries.setdefault(found[1] if found else "", {})[found[2] if found else name] = text
    if len(entries) == 1:
        return next(iter(entries.values()))
    gave = (entry for entry in entries.values() if _reference(entry.get("reference", ""), record, spec) == reference)
    return next(gave, {})


def origins(sandbox: Sandbox, template: str, record: Any) -> list[Origin]:
    """What the template uses of the record; inside loops and filters as far as the path is written out."""
    try:
        roots = _roots(sandbox, template)
        used = dict.fromkeys(_used(sandbox.parse(template), roots))
    except TemplateError:  # of a version that knew another language
        return []
    return [_origin(name, steps, record) for name, *steps in used]


def _reference(template: str, record: Any, spec: MappingSpec) -> str | None:
    """The reference that the template gives; ``None`` when the record has nothing of what it asks for."""
    sandbox = open_sandbox(filters_for(spec.timezone, spec.lookups))
    try:
        context = open_context(sandbox, dict.fromkeys(_roots(sandbox, template), record))
        [value] = compile_fields(sandbox, [template])(context)
        return str(conversions(spec)[Kind.REFERENCE](value))
    except (*FAULTS, CgsyncError):
        return None


def _made(sandbox: Sandbox, name: str, value: Any, expression: str | None, record: Any) -> Made:
    if expression is None or not is_template(expression):
        return Made(field=name, value=value, expression=expression, constant=expression is not None, origins=[])
    found = [] if record is None else origins(sandbox, expression, record)
    return Made(field=name, value=value, expression=expression, constant=False, origins=found)


def _leaves(expressions: Mapping[str, str], content: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """The values of a body by the names that the mapping's fields have; one template may give a whole object."""
    if name in expressions or not isinstance(content, Mapping | list):
        yield name, content
        return
    for key, each in content.items() if isinstance(content, Mapping) else enumerate(content):
        yield from _leaves(expressions, each, f"{name}.{key}" if name else str(key))


def _roots(sandbox: Sandbox, template: str) -> set[str]:
    """The variables that stand for the record; the mapping allows no other."""
    return meta.find_undeclared_variables(sandbox.parse(template)) - sandbox.globals.keys()


def _used(node: nodes.Node, roots: set[str]) -> Iterator[tuple[Any, ...]]:
    path = _path(node)
    if path is not None and path[0] in roots:
        yield path
        return
    for child in node.iter_child_nodes():
        yield from _used(child, roots)


def _path(node: nodes.Node) -> tuple[Any, ...] | None:
    """The variable and the steps from it, where all of them are written out."""
    match node:
        case nodes.Name(name=name):
            return (name,)
        case nodes.Getattr(node=inner, attr=step) | nodes.Getitem(node=inner, arg=nodes.Const(value=step)):
            before = _path(inner)
            return None if before is None else (*before, step)
    return None


def _origin(name: str, steps: list[Any], record: Any) -> Origin:
    value, found = record, True
    for step in steps:
        try:
            value = value[step]
        except (LookupError, TypeError):
            value, found = None, False
            break
    return Origin(path=name + "".join(map(_step, steps)), found=found, value=value)


def _step(step: Any) -> str:
    if isinstance(step, str) and step.isidentifier():
        return f".{step}"
    return f"[{step!r}]"
