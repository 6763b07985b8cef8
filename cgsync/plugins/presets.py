"""Presets: sources that a plugin knows by name, so that a user writes only what is their own.

A preset is a YAML text: ``title``; ``with``, a JSON Schema of what the user gives; ``source``, what stands under a
source of the configuration; and perhaps ``modes``, each laid over ``source`` when ``with: {mode: NAME}`` says so. In
the last two ``${with.NAME}`` stands for what was given.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from cgsync.api import SourceType
from cgsync.errors import PluginError
from cgsync.plugins.soundness import NAME, check_schema, core_schema, plain_yaml, reserved, validator

REFERENCE = re.compile(r"\$?\$\{(?:with\.([A-Za-z_][A-Za-z0-9_]*)\})?")
"""``${with.NAME}``; with a second ``$`` in front, the characters themselves"""
PARTS = ("title", "with", "source", "modes")
MODE = "mode"
PLAIN = frozenset({"string", "integer", "number", "boolean"})
"""types of what can stand within a text"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A preset that is sound. ``given`` is the schema of ``with:``."""

    plugin: str
    name: str
    title: str
    text: str
    given: Mapping[str, Any]
    source: Mapping[str, Any]
    modes: Mapping[str, Mapping[str, Any]]

    @property
    def digest(self) -> str:
        return blake2b(self.text.encode(), digest_size=16).hexdigest()


def read(kind: SourceType, name: str) -> Preset:
    """The preset of that name; raises :class:`PluginError` when it is not what a preset must be."""
    text = kind.presets[name]
    found = plain_yaml(text, "it")
    if not NAME.fullmatch(name):
        raise PluginError(f"the name {name!r} is not one: small letters, digits, - and _, at most 32")
    if not isinstance(found, dict) or not set(found) <= set(PARTS) or not isinstance(found.get("title"), str):
        raise PluginError(f"is not a mapping of {', '.join(PARTS)}, of which the first is a text")
    made = Preset(
        plugin=kind.name,
        name=name,
        title=found["title"],
        text=text,
        given=found.get("with", {"type": "object", "additionalProperties": False}),
        source=found.get("source", {}),
        modes=found.get("modes", {}),
    )
    check_schema(made.given, "with")
    _check_modes(made)
    for where, source in {
        "source": made.source,
        **{f"modes.{name}": each for name, each in made.modes.items()},
    }.items():
        _check_source(source, where, made, kind)
    return made


def check(kind: SourceType) -> None:
    """Raise :class:`PluginError` when a preset of the type is not sound."""
    for name in kind.presets:
        try:
            read(kind, name)
        except PluginError as error:
            raise PluginError(f"preset {name!r}: {error.message}", hint=error.hint) from error


def _check_modes(preset: Preset) -> None:
    if not isinstance(preset.modes, Mapping):
        raise PluginError("modes is not a mapping")
    offered = preset.given.get("properties", {}).get(MODE, {}).get("enum", [])
    if strangers := set(preset.modes) - set(offered):
        raise PluginError(f"with: does not offer the mode {', '.join(sorted(strangers))}", hint="name it in its enum")


def _check_source(source: Any, where: str, preset: Preset, kind: SourceType) -> None:
    if not isinstance(source, Mapping):
        raise PluginError(f"{where} is not a mapping")
    allowed = (reserved() - {"preset", "with"}) | {kind.name}
    if strangers := set(source) - allowed:
        raise PluginError(f"{where} holds {', '.join(sorted(strangers))}, no option of a source of {kind.name}")
    for text in _texts(source):
        _check_references(text, where, preset.given)
    core = core_schema()
    options = {key: each for key, each in source.items() if key != kind.name}
    _check_fit(options, {**core["$defs"]["source"], "$defs": core["$defs"]}, where)
    _check_fit(source.get(kind.name, {}), kind.options_schema, f"{where}.{kind.name}")


def _check_references(text: str, where: str, given: Mapping[str, Any]) -> None:
    properties = given.get("properties", {})
    for found in REFERENCE.finditer(text):
        if found[0].startswith("$$"):
            continue
        if found[1] not in properties:
            raise PluginError(f"{where} has a ${{…}} that is none of with: {text!r:.80}")
        wanted = properties[found[1]]
        sure = "default" in wanted or found[1] in given.get("required", ())
        if found[0] != text and not (sure and wanted.get("type") in PLAIN):
            raise PluginError(
                f"{where} has ${{with.{found[1]}}} within a text, but it need not be given, or is no scalar",
                hint="let with require it, or give it a default",
            )


def _check_fit(options: Any, schema: Mapping[str, Any], where: str) -> None:
    """What is there must fit; what is not there may be the user's to give, and what ``${`` stands for is not known."""
    for wrong in validator(schema).iter_errors(options):
        if not _may_be_mended(wrong):
            raise PluginError(f"{where} does not fit its schema: {wrong.json_path}: {wrong.message}")


def _may_be_mended(wrong: Any) -> bool:
    """By what the user adds, or by what is put in."""
    if wrong.validator in ("oneOf", "anyOf"):
        return any(_may_be_mended(each) for each in wrong.context)
    return wrong.validator == "required" or (isinstance(wrong.instance, str) and "${" in wrong.instance)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
