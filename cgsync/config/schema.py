"""The schema of a configuration: the core's own, composed with the options of each source type."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from cgsync.api import SourceType
from cgsync.config.guide import Schema
from cgsync.plugins.vocabulary import VOCABULARY

ACTIVITY_REQUIRED = ("account", "type", "source", "happened_at")


def core() -> dict[str, Any]:
    """The core's schema, without any plugin."""
    text = files("cgsync").joinpath("schemas", "core.schema.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def of_source(schema: Schema) -> dict[str, Any]:
    """The schema of one source, of its core options alone; ``#`` in it is itself."""
    return {**schema["$defs"]["source"], "$defs": schema["$defs"]}


def without_sources(schema: Schema) -> dict[str, Any]:
    """The schema of all the rest: each source is judged on its own, since its plugin decides what it may hold."""
    sources = {**schema["properties"]["sources"], "additionalProperties": True}
    return {**schema, "properties": {**schema["properties"], "sources": sources}}


def json_schema(types: Mapping[str, SourceType]) -> dict[str, Any]:
    """The schema of a configuration with these source types, self-contained, for editors."""
    schema = core()
    definitions = schema["$defs"]
    names = sorted(types)
    source = definitions["source"]
    for name in names:
        source["properties"][name] = {"$ref": f"#/$defs/source.{name}"}
        definitions[f"source.{name}"] = _rooted(types[name].options_schema, f"#/$defs/source.{name}")
    source["oneOf"] = [{"required": [name]} for name in names]
    source["not"] = {"required": ["every", "cron"]}
    _complete(definitions["activity"])
    for reference, each in VOCABULARY.items():
        definitions[reference.removeprefix("cgsync:")] = {key: value for key, value in each.items() if key[:2] != "x-"}
    inlined: dict[str, Any] = _rooted(schema, "#")
    return inlined


def _complete(activity: dict[str, Any]) -> None:
    """What the mapping itself finds when the daemon checks it, so that an editor finds it too."""
    activity["required"] = list(ACTIVITY_REQUIRED)
    activity["additionalProperties"] = False
    activity["patternProperties"] = {r"^additional_information_array\[.+\]$": {"type": ["string", "number"]}}


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
