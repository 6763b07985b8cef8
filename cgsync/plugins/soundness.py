"""Is a source type what the contract asks for?"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from typing import Any

import yaml

from cgsync.api import SourceType
from cgsync.contract import DIALECT
from cgsync.errors import PluginError
from cgsync.plugins.vocabulary import VOCABULARY, registry, typed

NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
UNUSED = ("$id", "$anchor", "$dynamicRef", "$dynamicAnchor")
"""keywords that stop to mean something once a schema is part of a larger one"""


def check(kind: SourceType) -> None:
    """Raise :class:`PluginError` in words when it is not."""
    _check_name(kind.name)
    _check_fields(kind)
    check_schema(kind.options_schema)
    _check_sample(kind)


def reserved() -> frozenset[str]:
    """What the core itself calls an option of a source."""
    return frozenset(core_schema()["$defs"]["source"]["properties"])


def core_schema() -> dict[str, Any]:
    """The core's schema of a configuration, without any plugin."""
    text = files("cgsync").joinpath("schemas", "core.schema.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def _check_name(name: object) -> None:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise PluginError(f"the name {name!r} is not one: small letters, digits, - and _, at most 32")
    if name in reserved():
        raise PluginError(f"the name {name!r} is an option of every source", hint="take another")


def _check_fields(kind: SourceType) -> None:
    for field in ("open", "expand", "judge"):
        given = getattr(kind, field)
        if not callable(given) and not (field != "open" and given is None):
            raise PluginError(f"{field} of {kind.name!r} cannot be called")
    if not isinstance(kind.sample, str):
        raise PluginError(f"sample of {kind.name!r} is not a text")
    for name, text in dict(kind.presets).items():
        if not isinstance(name, str) or not isinstance(text, str):
            raise PluginError(f"presets of {kind.name!r} are not texts by name")


def check_schema(schema: Any, name: str = "options_schema") -> None:
    """Raise :class:`PluginError` unless it is a JSON Schema of an object that can become part of a larger one."""
    import jsonschema_rs  # jsonschema needs 200 ms for a large schema, at each start

    if not isinstance(schema, dict) or schema.get("type") != "object":
        raise PluginError(f"{name} is not a JSON Schema of type object")
    try:
        json.dumps(schema)
        jsonschema_rs.meta.validate({**schema, "$schema": DIALECT})
    except jsonschema_rs.ValidationError as error:
        raise _not_valid(error.instance_path, error.message, name) from error
    except (TypeError, ValueError) as error:
        raise PluginError(f"{name} is not JSON: {error}") from error
    for part in _parts(schema):
        _check_part(part, schema, name)


def _check_part(part: Mapping[str, Any], root: Mapping[str, Any], name: str) -> None:
    for keyword in UNUSED:
        if isinstance(part.get(keyword), str):
            raise PluginError(f"{name} uses {keyword}", hint="use $defs and $ref: #/$defs/…")
    for pattern in (part.get("pattern", ""), *part.get("patternProperties", {})):
        _check_pattern(pattern, name)
    _check_reference(part.get("$ref"), root, name)
    if "default" in part and not _valid(part["default"], {**part, "$defs": root.get("$defs", {})}):
        raise PluginError(f"{name} has a default that does not fit it: {part['default']!r}")


def _check_pattern(pattern: str, name: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise PluginError(f"{name} has the pattern {pattern!r}, which is not one: {error}") from error


def _not_valid(path: Iterable[str | int], message: str, name: str) -> PluginError:
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return PluginError(f"{name} is not valid at ${place}: {message}")


def _check_reference(reference: Any, root: Mapping[str, Any], name: str) -> None:
    if not isinstance(reference, str) or reference in VOCABULARY:
        return
    if not reference.startswith("#/$defs/"):
        known = ", ".join(VOCABULARY)
        raise PluginError(f"{name} refers to {reference!r}", hint=f"only #/$defs/…, {known}")
    found: Any = root
    for step in reference[2:].split("/"):
        found = found.get(step) if isinstance(found, Mapping) else None
    if found is None:
        raise PluginError(f"{name} refers to {reference!r}, which is not there")


def _parts(schema: Any) -> Iterator[Mapping[str, Any]]:
    """The schema and all that are part of it. Values (defaults, constants) are not schemas."""
    if isinstance(schema, Mapping):
        yield schema
        for keyword, below in schema.items():
            if keyword in ("properties", "patternProperties", "$defs", "dependentSchemas"):
                for each in below.values():
                    yield from _parts(each)
            elif keyword not in ("default", "const", "enum", "examples"):
                yield from _parts(below)
    elif isinstance(schema, list):
        for each in schema:
            yield from _parts(each)


def _check_sample(kind: SourceType) -> None:
    options = plain_yaml(kind.sample, f"the sample of {kind.name!r}")
    for wrong in validator(kind.options_schema).iter_errors({} if options is None else options):
        if "${" not in str(wrong.instance):  # what stands for it is not known here
            raise PluginError(
                f"the sample of {kind.name!r} does not fit its schema: {wrong.json_path}: {wrong.message}"
            )


def plain_yaml(text: str, name: str) -> Any:
    """What a YAML text says, with scalars as the configuration understands them; raises :class:`PluginError`."""
    try:
        root = yaml.compose(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        return None if root is None else _plain(root)
    except (yaml.YAMLError, RecursionError) as error:
        raise PluginError(f"{name} is not YAML: {error}") from error


def _plain(node: Any) -> Any:
    if isinstance(node, yaml.MappingNode):
        return {str(key.value): _plain(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_plain(each) for each in node.value]
    return node.value if node.style else typed(node.value)


def _valid(value: Any, schema: Mapping[str, Any]) -> bool:
    return bool(validator(schema).is_valid(value))


def validator(schema: Mapping[str, Any]) -> Any:
    """jsonschema's validator, which knows our vocabulary and fetches nothing."""
    from jsonschema import Draft202012Validator

    return Draft202012Validator(schema, registry=registry())
