"""The schema of a configuration: the core's own, composed with the options of each source type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from cgsync.api import SourceType
from cgsync.config.guide import Schema
from cgsync.errors import PluginError
from cgsync.plugins.presets import Preset, read
from cgsync.plugins.soundness import core_schema
from cgsync.plugins.vocabulary import VOCABULARY

ACTIVITY_REQUIRED = ("account", "type", "source", "happened_at")
PRESET = "preset."
"""before plugin and name: the schema of what a preset asks for"""


def of_source(schema: Schema) -> dict[str, Any]:
    """The schema of one source, of its core options alone; ``#`` in it is itself."""
    return {**schema["$defs"]["source"], "$defs": schema["$defs"]}


def without_sources(schema: Schema) -> dict[str, Any]:
    """The schema of all the rest: each source is judged on its own, since its plugin decides what it may hold."""
    sources = {**schema["properties"]["sources"], "additionalProperties": True}
    return {**schema, "properties": {**schema["properties"], "sources": sources}}


def json_schema(types: Mapping[str, SourceType]) -> dict[str, Any]:
    """The schema of a configuration with these source types, self-contained, for editors."""
    schema = core_schema()
    definitions = schema["$defs"]
    _complete(definitions["activity"])
    for name in sorted(types):
        definitions[f"source.{name}"] = _rooted(types[name].options_schema, f"#/$defs/source.{name}")
    _compose(definitions, sorted(types), _presets(types))
    for reference, each in VOCABULARY.items():
        definitions[reference.removeprefix("cgsync:")] = {key: value for key, value in each.items() if key[:2] != "x-"}
    inlined: dict[str, Any] = _rooted(schema, "#")
    return inlined


def _complete(activity: dict[str, Any]) -> None:
    """What the mapping itself finds when the daemon checks it, so that an editor finds it too."""
    activity["required"] = list(ACTIVITY_REQUIRED)
    activity["additionalProperties"] = False
    activity["patternProperties"] = {r"^additional_information_array\[.+\]$": {"type": ["string", "number"]}}


def _presets(types: Mapping[str, SourceType]) -> list[Preset]:
    """All that are sound; who uses another one is told."""
    found = []
    for plugin in sorted(types):
        for name in sorted(types[plugin].presets):
            with suppress(PluginError):
                found.append(read(types[plugin], name))
    return found


def _compose(definitions: dict[str, Any], plugins: Sequence[str], presets: Sequence[Preset]) -> None:
    """A source has a plugin and all that is required, or a preset, which knows the one and brings the other."""
    source = definitions["source"]
    activity = source["properties"]["activity"]
    whole: dict[str, Any] = {name: {"$ref": f"#/$defs/source.{name}"} for name in plugins}
    for name in {preset.plugin for preset in presets}:
        definitions[f"source.{name}.partial"] = _partial(definitions[f"source.{name}"], name)
    definitions["activity.partial"] = _partial(definitions["activity"], "")
    partial: dict[str, Any] = {preset.plugin: {"$ref": f"#/$defs/source.{preset.plugin}.partial"} for preset in presets}
    lenient = {**activity, "else": {"$ref": "#/$defs/activity.partial"}}
    source["properties"] |= {key: {} for key in (*plugins, "activity")}
    source["not"] = {"required": ["every", "cron"]}
    source["if"] = {"required": ["preset"]}
    after: dict[str, Any] = {"allOf": [_asked(preset, definitions) for preset in presets]} if presets else {}
    source["then"] = {
        **after,
        "properties": {**whole, **partial, "activity": lenient, "preset": _names(presets)},
    }
    source["else"] = {
        "required": source.pop("required"),
        "properties": {**whole, "activity": activity, "with": False},
        "oneOf": [{"required": [name]} for name in plugins],
    }


def _names(presets: Sequence[Preset]) -> Any:
    return {"enum": sorted({name for preset in presets for name in _spelled(preset)})} if presets else False


def _spelled(preset: Preset) -> list[str]:
    return [preset.name, f"{preset.plugin}/{preset.name}"]


def _asked(preset: Preset, definitions: dict[str, Any]) -> dict[str, Any]:
    """What stands below ``with:`` when that preset is named."""
    key = f"{PRESET}{preset.plugin}.{preset.name}"
    definitions[key] = {"title": preset.title, **_rooted(preset.given, f"#/$defs/{key}")}
    named = {"required": ["preset"], "properties": {"preset": {"enum": _spelled(preset)}}}
    needed = ["with"] if preset.given.get("required") else []
    return {"if": named, "then": {"required": needed, "properties": {"with": {"$ref": f"#/$defs/{key}"}}}}


def _partial(schema: Any, name: str) -> Any:
    """The same schema for what is not whole: nothing is required, and forms are not told apart by that."""
    if isinstance(schema, list):
        return [_partial(each, name) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    loose = {key: _partial(each, name) for key, each in schema.items() if key != "required" or isinstance(each, dict)}
    if isinstance(loose.get("oneOf"), list):
        loose["anyOf"] = loose.pop("oneOf")
    if isinstance(reference := loose.get("$ref"), str):
        loose["$ref"] = reference.replace(f"#/$defs/source.{name}/", f"#/$defs/source.{name}.partial/")
    return loose


def _rooted(schema: Any, root: str) -> Any:
    """The schema with its references to itself moved below ``root``, and those to our vocabulary into ``$defs``."""
    if isinstance(schema, Mapping):
        moved = {key: _rooted(value, root) for key, value in schema.items() if key != "$schema" or root == "#"}
        if isinstance(reference := moved.get("$ref"), str):
            moved["$ref"] = _moved(reference, root)
        return moved
    if isinstance(schema, list | tuple):
        return [_rooted(each, root) for each in schema]
    return schema


def _moved(reference: str, root: str) -> str:
    if reference in VOCABULARY:
        return f"#/$defs/{reference.removeprefix('cgsync:')}"
    return root + reference[1:] if reference.startswith("#") and root != "#" else reference
