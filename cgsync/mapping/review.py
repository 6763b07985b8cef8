"""What is wrong with a mapping, all of it at once, before any record is seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from jinja2 import TemplateError, TemplateSyntaxError, meta, nodes

from cgsync.mapping.conversions import conversions
from cgsync.mapping.environment import UNWANTED_FILTERS, Sandbox, open_sandbox
from cgsync.mapping.fields import Field, Kind, fields_of
from cgsync.mapping.filters import compile_pattern, filters_for
from cgsync.mapping.spec import ARRAY, KEYS, OBJECT, REQUIRED, Flaw, MappingSpec, Path, is_flat
from cgsync.mapping.spelling import did_you_mean, nearest
from cgsync.mapping.templates import compile_fields, is_template
from cgsync.mapping.values import Unfit, kind

Finding = tuple[str, str]
"""What is wrong, and what to do about it."""

WORDS = (*KEYS, "when")
UNWANTED_NODES = (nodes.Extends, nodes.Block, nodes.Include, nodes.Import, nodes.FromImport)


def flaws(spec: MappingSpec) -> Sequence[Flaw]:
    """Everything that is wrong with the mapping; empty when it can be compiled."""
    return list(_Review(spec).flaws())


class _Review:
    def __init__(self, spec: MappingSpec) -> None:
        self._spec = spec
        self._converts = conversions(spec)
        self._sandbox = open_sandbox(filters_for(spec.timezone, spec.lookups))

    def flaws(self) -> Iterator[Flaw]:
        yield from self._record_name()
        yield from self._condition(("when",), self._spec.when)
        if not self._spec.activities:
            yield Flaw(path=("activity",), message="names no activity", help="write at least account, type, source")
        for place, activity in enumerate(self._spec.activities):
            path: Path = ("activity", place) if self._spec.plural else ("activity",)
            yield from self._unknown_keys(path, activity)
            yield from self._missing_keys(path, activity)
            if OBJECT in activity and any(key == ARRAY or is_flat(str(key)) for key in activity):
                yield Flaw(path=(*path, OBJECT), message=f"cannot stand beside {ARRAY}", help="keep one of the two")
            yield from self._condition((*path, "when"), activity.get("when"))
            for field in fields_of(activity):
                yield from self._field(path, field)

    def _record_name(self) -> Iterator[Flaw]:
        name = self._spec.record_name
        if not name.isidentifier() or name.startswith("cgsync_"):
            yield Flaw(path=("as",), message=f"`{name}` cannot be a variable", help="take one word, like `ticket`")
        elif name in self._sandbox.globals or name in {"loop", "caller", "self", "true", "false", "none"}:
            yield Flaw(path=("as",), message=f"`{name}` has a meaning in templates", help="take another word")

    def _unknown_keys(self, path: Path, activity: Mapping[str, Any]) -> Iterator[Flaw]:
        for key in _unknown(activity):
            near = did_you_mean(key, WORDS)
            yield Flaw(path=(*path, key), message="unknown key", help=near or f"the keys are {', '.join(KEYS)}")

    def _missing_keys(self, path: Path, activity: Mapping[str, Any]) -> Iterator[Flaw]:
        written = {key for key, value in activity.items() if value not in (None, "")}
        written |= {nearest(key, WORDS) for key in _unknown(activity)}
        for key in REQUIRED:
            if key not in written:
                yield Flaw(path=path, message=f"`{key}` is missing", help="the API needs " + ", ".join(REQUIRED))
        if self._spec.plural and len(self._spec.activities) > 1 and "reference" not in written:
            yield Flaw(
                path=path,
                message="`reference` is missing: each activity of a list states its own",
                help='for instance reference: "…-{{ ' + self._spec.record_name + '.id }}:created"',
            )

    def _condition(self, path: Path, when: object) -> Iterator[Flaw]:
        if when is None or isinstance(when, bool):
            return
        if not isinstance(when, str) or not is_template(when):
            yield Flaw(path=path, message="is no condition", help='write it as "{{ … }}"')
            return
        yield from self._template(path, when)

    def _field(self, path: Path, field: Field) -> Iterator[Flaw]:
        place = (*path, *field.path)
        value = field.value
        if isinstance(value, str) and is_template(value):
            yield from self._template(place, value)
        elif field.kind is not Kind.JSON and isinstance(value, (Mapping, list, tuple)):
            yield Flaw(path=place, message=f"is {kind(value)}, not a text")
        elif field.path in {(OBJECT,), (ARRAY,)} and value is not None and not isinstance(value, Mapping):
            yield Flaw(path=place, message=f"is {kind(value)}, not an object", help="one template may give all of it")
        elif value is not None:
            yield from self._constant(place, field)

    def _constant(self, path: Path, field: Field) -> Iterator[Flaw]:
        try:
            self._converts[field.kind](field.value)
        except Unfit as error:
            yield Flaw(path=path, message=str(error))

    def _template(self, path: Path, text: str) -> Iterator[Flaw]:
        for message, help_ in review_template(self._sandbox, text, self._spec):
            yield Flaw(path=path, message=message, help=help_)


def _unknown(activity: Mapping[str, Any]) -> list[str]:
    return [key for key in activity if key not in WORDS and not is_flat(str(key))]


def review_template(sandbox: Sandbox, text: str, spec: MappingSpec) -> list[Finding]:
    """What is wrong with one template."""
    try:
        tree = sandbox.parse(text)
        findings = [
            *_statements(tree),
            *_names(tree.find_all(nodes.Filter), sandbox.filters, "filter"),
            *_names(tree.find_all(nodes.Test), sandbox.tests, "test"),
        ]
        if not findings:
            findings = [*_variables(tree, spec), *_arguments(tree, spec)]
        if not findings:
            compile_fields(sandbox, [text])
    except TemplateSyntaxError as error:
        return [(f"template, line {error.lineno}: {error.message}", "")]
    except (TemplateError, SyntaxError) as error:
        return [(f"template: {error}", "")]
    except (RecursionError, MemoryError):
        return [("template: too deep", "write it in fewer levels")]
    return findings


def _statements(tree: nodes.Template) -> Iterator[Finding]:
    for node in tree.find_all(UNWANTED_NODES):
        yield f"`{type(node).__name__.lower()}` is not available: a template stands alone", ""


def _names(used: Iterable[Any], known: Mapping[str, Any], what: str) -> Iterator[Finding]:
    for name in dict.fromkeys(node.name for node in used):
        if name not in known:
            reason = " (not available here)" if name in UNWANTED_FILTERS else ""
            public = (each for each in known if not each.startswith("cgsync"))
            yield f"unknown {what} `{name}`{reason}", did_you_mean(name, public)


def _variables(tree: nodes.Template, spec: MappingSpec) -> Iterator[Finding]:
    for name in sorted(meta.find_undeclared_variables(tree) - {spec.record_name}):
        near = did_you_mean(name, [spec.record_name])
        yield f"there is no variable `{name}`", near or f"the record is called `{spec.record_name}`"


def _arguments(tree: nodes.Template, spec: MappingSpec) -> Iterator[Finding]:
    for call in tree.find_all(nodes.Filter):
        first = call.args[0] if call.args else None
        value = first.value if isinstance(first, nodes.Const) else None
        if call.name == "lookup":
            yield from _lookup(value, call, spec)
        elif call.name == "regex_find" and isinstance(value, str):
            yield from _pattern(value)
        elif call.name == "datetime" and isinstance(value, str):
            yield from _format(value)


def _lookup(name: object, call: nodes.Filter, spec: MappingSpec) -> Iterator[Finding]:
    if not call.args and not call.kwargs:
        yield "lookup needs the name of a table", "for instance | lookup('accounts')"
    elif isinstance(name, str) and name not in spec.lookups:
        known = ", ".join(spec.lookups) or "none is configured"
        yield f"there is no lookup `{name}`", did_you_mean(name, spec.lookups) or f"lookups: {known}"


def _pattern(pattern: str) -> Iterator[Finding]:
    try:
        compile_pattern(pattern)
    except Unfit as error:
        yield str(error), "patterns are RE2's: no look-around, no back-references"


def _format(form: str) -> Iterator[Finding]:
    if "%Z" in form:
        yield "%Z reads the name of a zone and then ignores it", "use %z, or datetime(…, timezone='…')"
    try:
        datetime.strptime("", form)  # noqa: DTZ007 - only its complaint about the format counts
    except ValueError as error:
        if "bad directive" in str(error) or "stray %" in str(error):
            yield f"bad format: {error}", "see strptime"
