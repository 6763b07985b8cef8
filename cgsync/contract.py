"""The contract of the receiving API, and a tenant's own rules beside it: is this body fit to be sent?"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NoReturn

from cgsync.errors import ConfigError

if TYPE_CHECKING:
    import jsonschema_rs
    from referencing import Registry

DIALECT = "https://json-schema.org/draft/2020-12/schema"
OBJECT = "additional_information_object"
NOTHING_REMOTE = "a schema is complete in itself: nothing is ever fetched"

_WORDS = {"boolean": "true or false", "number": "a number", "string": "text", "array": "a list", "object": "an object"}


def activity_schema() -> dict[str, Any]:
    """The JSON Schema of an activity."""
    schema: dict[str, Any] = json.loads(files("cgsync").joinpath("schemas", "activity.schema.json").read_bytes())
    return schema


class Contract:
    """The compiled schema of an activity, and the overlay's if there is one; ``digest`` changes with either.

    Raises :class:`ConfigError` when the overlay does not compile in both of the validators that know its dialect:
    they disagree on some patterns, and a rule that only one of them understands would hold by luck.
    """

    def __init__(self, overlay: Mapping[str, Any] | None = None) -> None:
        self._validators = [_validator(activity_schema())]
        rules = json.dumps([activity_schema(), overlay], sort_keys=True, default=dict)
        self.digest = blake2b(rules.encode(), digest_size=6).hexdigest()
        if overlay is not None:
            _check_elsewhere(overlay)
            self._validators.append(_validator(dict(overlay)))

    def problems(self, body: Mapping[str, Any]) -> dict[str, str]:
        """Each field that does not fit, with the reason in words; empty when the body is valid."""
        try:
            if all(validator.is_valid(body) for validator in self._validators):
                return {}
            return _reasons(error for validator in self._validators for error in validator.iter_errors(body))
        except UnicodeEncodeError:
            return {"": "holds half of a surrogate pair, which is no character"}


def overlay_from(types: Sequence[str] | None, accounts: Sequence[str] | None) -> dict[str, Any]:
    """The overlay that allows these types and accounts only; ``None`` allows all."""
    allowed = {"type": types, "account": accounts}
    return {
        "$schema": DIALECT,
        "type": "object",
        "properties": {key: {"enum": list(values)} for key, values in allowed.items() if values is not None},
    }


def _validator(schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    import jsonschema_rs  # commands that check nothing do not pay for it

    try:
        jsonschema_rs.meta.validate(schema)
        return jsonschema_rs.Draft202012Validator(schema, retriever=_refuse)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, TypeError, ValueError) as error:
        raise _unusable(error) from error


def _refuse(uri: str) -> NoReturn:
    raise ValueError(f"{uri}: {NOTHING_REMOTE}")


def _check_elsewhere(overlay: Mapping[str, Any]) -> None:
    from jsonschema import Draft202012Validator, SchemaError  # 150 ms that only an overlay costs
    from referencing import Registry
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012

    if overlay.get("$schema", DIALECT) != DIALECT:
        raise _unusable(f"$schema is {overlay['$schema']!r}, not {DIALECT}")
    try:
        Draft202012Validator.check_schema(overlay)
        registry: Registry[Any] = Registry().with_resource("", DRAFT202012.create_resource(overlay))
        _check_parts(overlay, registry)
    except SchemaError as error:
        raise _unusable(error.message) from error
    except (Unresolvable, re.error, RecursionError) as error:
        raise _unusable(error) from error


def _check_parts(overlay: Mapping[str, Any], registry: Registry[Any]) -> None:
    resolver = registry.resolver()
    for keyword, value in _keywords(overlay):
        if keyword == "pattern" and isinstance(value, str):
            re.compile(value)
        elif keyword == "patternProperties" and isinstance(value, Mapping):
            for pattern in value:
                re.compile(pattern)
        elif keyword == "$ref" and isinstance(value, str):
            resolver.lookup(value)


def _keywords(schema: object) -> Iterator[tuple[str, object]]:
    """Every key of a schema with its value, at any depth; what stands in ``enum`` and ``const`` is data."""
    if isinstance(schema, Mapping):
        for key, value in schema.items():
            yield key, value
            if key not in {"enum", "const", "default", "examples"}:
                yield from _keywords(value)
    elif isinstance(schema, (list, tuple)):
        for each in schema:
            yield from _keywords(each)


def _unusable(error: object) -> ConfigError:
    said = str(error).partition("\n")[0]
    return ConfigError(f"the schema cannot be used: {said}", hint="it is JSON Schema 2020-12, without remote $ref")


def _reasons(errors: Iterator[jsonschema_rs.ValidationError]) -> dict[str, str]:
    reasons: dict[str, str] = {}
    for error in errors:
        for field, reason in _explained(error):
            reasons.setdefault(field, reason)  # the first says it all: an empty text also fails the pattern
    return reasons


def _explained(error: jsonschema_rs.ValidationError) -> Iterator[tuple[str, str]]:
    field = ".".join(str(part) for part in error.instance_path)
    kind = error.kind.as_dict()
    match error.kind.name:
        case "required":
            yield _below(field, kind["property"]), "is required"
        case "additionalProperties":
            for name in kind["unexpected"]:
                yield _below(field, name), "is not a field of the API"
        case "maxLength":
            yield field, f"{len(str(error.instance))} characters, at most {kind['limit']} are allowed"
        case "minLength" | "pattern":
            yield field, _misfit(field, error)
        case "falseSchema":
            yield field, f"cannot stand beside {OBJECT}" if field.startswith("additional_") else "is not allowed"
        case name:
            yield field, _other(name, kind, error)


def _below(field: str, name: str) -> str:
    return f"{field}.{name}" if field else name


def _misfit(field: str, error: jsonschema_rs.ValidationError) -> str:
    if not str(error.instance).strip():
        return "is blank"
    if field == "happened_at":
        return f"{_shown(error.instance)} is not written like 2024-05-01 10:00:00"
    return _cut(error.message)


def _other(name: str, kind: Mapping[str, Any], error: jsonschema_rs.ValidationError) -> str:
    if name == "type":
        return (
            f"is {_json_kind(error.instance)}, must be {' or '.join(_WORDS.get(each, each) for each in kind['types'])}"
        )
    if name == "enum":
        return f"{_shown(error.instance)} is not one of those that the configuration allows"
    return _cut(error.message)


def _json_kind(value: object) -> str:
    if value is None:
        return "null"
    names = {bool: "boolean", int: "number", float: "number", str: "string", list: "array"}
    return _WORDS[names.get(type(value), "object")]


def _shown(value: object) -> str:
    return _cut(json.dumps(value, ensure_ascii=False))


def _cut(words: str) -> str:
    return words if len(words) <= 200 else f"{words[:200]}…"
