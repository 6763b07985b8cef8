"""A compiled mapping, and how it is applied to a record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import msgspec
from jinja2 import TemplateError
from jinja2.runtime import Context

from cgsync.api import Record
from cgsync.errors import ConfigError, MappingError
from cgsync.mapping.conversions import Convert, conversions
from cgsync.mapping.environment import Sandbox, open_context, open_sandbox
from cgsync.mapping.fields import Field, Kind, Shape, assemble, fields_of, shape_of
from cgsync.mapping.filters import filters_for
from cgsync.mapping.references import default_reference
from cgsync.mapping.review import flaws
from cgsync.mapping.spec import MappingSpec
from cgsync.mapping.templates import Render, compile_fields, is_template
from cgsync.mapping.values import Unfit, clean, truth

LANGUAGE = 1
"""Raised when the same templates begin to give other values, so that versions of mappings differ."""

FAULTS = (TemplateError, ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""What a template may raise because of the record it was given; all else is a bug, or a matter of the set-up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A template that is rendered for each record, and what its value becomes."""

    place: int
    label: str
    template: str
    convert: Convert


class Form:
    """One compiled activity (or one condition): constants in their places, and one function for all the rest."""

    def __init__(
        self, sandbox: Sandbox, fields: Sequence[Field], converts: Mapping[Kind, Convert], prefix: str
    ) -> None:
        self._sandbox = sandbox
        self._shape: Mapping[str, Shape] = shape_of(fields)
        self.asked = [
            Asked(place=place, label=prefix + field.label, template=field.value, convert=converts[field.kind])
            for place, field in enumerate(fields)
            if isinstance(field.value, str) and is_template(field.value)
        ]
        templates = {each.place for each in self.asked}
        self._constants = [
            None if place in templates or field.value is None else converts[field.kind](field.value)
            for place, field in enumerate(fields)
        ]
        self._converts = [(each.place, each.convert) for each in self.asked]
        self._render = compile_fields(sandbox, [each.template for each in self.asked])
        self._alone: dict[str, Render] = {}

    def fill(self, context: Context) -> dict[str, Any]:
        """The body for a record; raises :class:`MappingError` with a reason for each field that fails."""
        values = self._constants.copy()
        try:
            for (place, convert), value in zip(self._converts, self._render(context), strict=True):
                values[place] = convert(value)
        except FAULTS as error:
            # the one function stops at the first fault: look at each field alone, so that all are named
            raise MappingError(self._reasons(context) or {"": _words(error)}) from error
        return assemble(self._shape, values)

    def _reasons(self, context: Context) -> dict[str, str]:
        reasons = {}
        for each in self.asked:
            try:
                each.convert(self._render_alone(each, context))
            except FAULTS as error:
                reasons[each.label] = _words(error)
        return reasons

    def _render_alone(self, asked: Asked, context: Context) -> Any:
        if asked.label not in self._alone:
            self._alone[asked.label] = compile_fields(self._sandbox, [asked.template])
        return self._alone[asked.label](context)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An activity of the mapping, with its condition."""

    when: Form | None
    form: Form
    prefix: str
    template: Mapping[str, Any]


class Mapper:
    """A compiled mapping. ``version`` is 12 hexadecimal digits over all that was compiled."""

    def __init__(self, spec: MappingSpec) -> None:
        self.version = version_of(spec)
        templates = _encoded([spec.when, list(spec.activities)])
        # a template names the table that it asks, so what is named nowhere cannot matter
        self._lookups = [spec.lookups[name] for name in sorted(spec.lookups) if name.encode() in templates]
        self._name = spec.record_name
        self._sandbox = open_sandbox(filters_for(spec.timezone, spec.lookups))
        self._converts = conversions(spec)
        self._when = self._condition(spec.when, "")
        self._entries = [
            self._entry(activity, f"activity[{place}]." if spec.plural else "")
            for place, activity in enumerate(spec.activities)
        ]

    def map(self, record: Record, uid: str) -> Sequence[Mapping[str, Any]]:
        """The bodies of a record's activities, ready for the contract; empty when every condition is false.

        ``uid`` names the source in a reference that the mapping does not give. Raises :class:`MappingError` with
        a reason for every field that failed, by its name (``account``, ``activity[1].when``).
        """
        context = open_context(self._sandbox, {self._name: record.data})
        if self._when is not None and not _is_met(self._when, context):
            return ()
        if len(self._entries) == 1:
            body = self._body(self._entries[0], record, uid, context)
            return () if body is None else (body,)
        return self._bodies(record, uid, context)

    def judge(self) -> str:
        """12 hexadecimal digits over all that can change what it makes of a record: itself, and the tables it asks."""
        return _digest(" ".join([self.version, *(table.digest() for table in self._lookups)]).encode())

    def expressions(self) -> Mapping[str, str]:
        """Each field's name and the text of its template or constant, for whoever asks where a value comes from."""
        return {
            entry.prefix + field.label: field.value if isinstance(field.value, str) else _as_json(field.value)
            for entry in self._entries
            for field in fields_of(entry.template)
        }

    def _bodies(self, record: Record, uid: str, context: Context) -> list[Mapping[str, Any]]:
        bodies: list[Mapping[str, Any]] = []
        reasons: dict[str, str] = {}
        for entry in self._entries:
            try:
                body = self._body(entry, record, uid, context)
            except MappingError as error:
                reasons.update(error.reasons)
                continue
            if body is not None and any(body["reference"] == other["reference"] for other in bodies):
                reasons[f"{entry.prefix}reference"] = f"`{body['reference']}` is another activity of this record too"
            elif body is not None:
                bodies.append(body)
        if reasons:
            raise MappingError(reasons)
        return bodies

    def _body(self, entry: Entry, record: Record, uid: str, context: Context) -> dict[str, Any] | None:
        if entry.when is not None and not _is_met(entry.when, context):
            return None
        body = entry.form.fill(context)
        if "reference" not in body:
            if not record.key:
                raise MappingError({f"{entry.prefix}reference": "the record has no key and the mapping no reference"})
            body["reference"] = default_reference(uid, clean(record.key))
        return body

    def _entry(self, activity: Mapping[str, Any], prefix: str) -> Entry:
        return Entry(
            when=self._condition(activity.get("when"), prefix),
            form=Form(self._sandbox, fields_of(activity), self._converts, prefix),
            prefix=prefix,
            template=activity,
        )

    def _condition(self, when: str | bool | None, prefix: str) -> Form | None:
        if when is None:
            return None
        field = Field(path=("when",), kind=Kind.JSON, value=when)
        return Form(self._sandbox, [field], {Kind.JSON: truth}, prefix)


def compile_mapping(spec: MappingSpec) -> Mapper:
    """The mapping, compiled; raises :class:`ConfigError` when :func:`flaws` would find any."""
    if found := flaws(spec):
        lines = [f"{'.'.join(str(part) for part in flaw.path)}: {flaw.message}" for flaw in found]
        raise ConfigError("\n".join(lines), hint=found[0].help)
    return Mapper(spec)


def version_of(spec: MappingSpec) -> str:
    """12 hexadecimal digits that change whenever the mapping may give other activities."""
    parts = [
        LANGUAGE, spec.record_name, spec.when, list(spec.activities), str(spec.timezone), spec.timestamps,
        sorted(spec.lookups),
    ]  # fmt: skip
    return _digest(_encoded(parts))


def _encoded(parts: object) -> bytes:
    return msgspec.json.encode(parts, order="sorted", enc_hook=_as_dict)


def _digest(data: bytes) -> str:
    return blake2b(data, digest_size=6).hexdigest()


def _as_dict(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a mapping holds plain values, not {type(value).__name__}")


def _as_json(value: object) -> str:
    return msgspec.json.encode(value, enc_hook=_as_dict).decode()


def _is_met(condition: Form, context: Context) -> bool:
    return bool(condition.fill(context).get("when"))


def _words(error: Exception) -> str:
    if isinstance(error, (Unfit, TemplateError)):
        return str(error)
    return f"{type(error).__name__}: {error}"
