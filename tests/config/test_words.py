"""What does not fit the schema is said in words that name the value, the rule and the way out."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cgsync.config import render
from cgsync.config.findings import Findings
from cgsync.config.guide import Guide
from cgsync.config.nodes import Span, filled_in, plain
from cgsync.config.words import judge
from cgsync.config.yaml import parse

from .conftest import Folder


@pytest.mark.parametrize(
    ("option", "words", "help_"),
    [
        ("port: many", 'must be a whole number, not the text "many"', ""),
        ("port: 1.5", "must be a whole number, not 1.5", ""),
        ("port: 070", 'must be a whole number, not the text "070"', "write 70,"),
        ("port: true", "must be a whole number, not true", ""),
        ("port:", "must be a whole number, not nothing", ""),
        ("port: 0", "must be at least 1, not 0", ""),
        ("port: 65536", "must be at most 65535, not 65536", ""),
        ("host: true", "must be text, not true", 'put it in quotes: "true"'),
        ("host: [a]", "must be text, not a list", "Where it is."),
        ("host:", "must be text, not nothing", 'write "" for an empty text'),
        ("idle: yes", 'must be true or false, not the text "yes"', "write true,"),
        ("idle: Off", 'must be true or false, not the text "Off"', "write false,"),
        ("idle: 'true'", 'must be true or false, not the text "true"', "write true, without quotes"),
        ("wait: 5", "must be a duration: the unit is missing", "write 5s, 5m or 5h"),
        ("wait: '5'", "must be a duration: the unit is missing", "write 5s, 5m or 5h"),
        ("wait: 12:30", 'must be a duration, not the text "12:30"', "30s, 5m, 2h"),
        ("wait: -5m", 'must be a duration, not the text "-5m"', "30s, 5m, 2h"),
        ("wait: 5m1h", 'must be a duration, not the text "5m1h"', "30s, 5m, 2h"),
        ("cap: 10", "must be a size: the unit is missing", "write 10 B, 10 kB or 10 MiB"),
        ("cap: 10 M", 'must be a size, not the text "10 M"', "10 MiB"),
        ("folders: [a, [b]]", "must be text, not a list", ""),
        ("hots: x", 'unknown option, did you mean "host"?', ""),
        ("zzz: x", "unknown option", "known here: host, port"),
        ("auth: {}", '"basic" is missing', ""),
        ("auth: { basic: {} }", '"username" is missing', ""),
        ("auth: { basic: { username: x, pasword: y } }", 'unknown option, did you mean "password"?', ""),
        ("auth: { tokn: x }", 'unknown option, did you mean "token"?', ""),
        ("auth: { basic: { username: x }, token: y }", "unknown option", ""),
        ("auth: plain", 'must be a mapping, not the text "plain"', ""),
    ],
)
def test_a_mistake_is_said_in_words(folder: Folder, option: str, words: str, help_: str) -> None:
    found = folder.finding(folder.source(option))
    assert words in found.message
    assert help_ in found.help


def test_numbers_in_a_text_field_are_the_text_that_was_written(folder: Folder) -> None:
    options = folder.config(folder.source("host: 1.10\nfolders: [7, 1e3]")).sources["support"].options
    assert options["host"] == "1.10"
    assert options["folders"] == ("7", "1e3")


def test_a_secret_that_is_wrong_is_not_shown(folder: Folder) -> None:
    for option in (
        "password: [hunter2hunter2]",
        "password: { hunter2hunter2: x }",
        "auth: { token: [hunter2hunter2] }",
    ):
        found = folder.findings(folder.source(option))
        assert "hunter2" not in render(found), option


def test_where_a_secret_comes_from_is_shown(folder: Folder) -> None:
    assert folder.finding(folder.source("password: ${NONE}")).snippet.endswith("password: ${NONE}")
    found = folder.finding(folder.source("{ password: '${NONE:-hunter2hunter2}', port: x }"))
    assert "hunter2" not in found.snippet


def test_a_secret_under_a_misspelt_name_is_not_shown(folder: Folder) -> None:
    for option in ("pasword: hunter2hunter2", "auth: { tken: hunter2hunter2, x: y }"):
        assert "hunter2" not in render(folder.findings(folder.source(option)))


def test_a_secret_beside_a_mistake_in_the_same_line_is_not_shown(folder: Folder) -> None:
    text = folder.source("").replace("box:\n      {}", "box: { password: hunter2hunter2, port: x }")
    assert "hunter2" not in render(folder.findings(text))


def test_a_secret_that_is_given_twice_is_not_shown(folder: Folder) -> None:
    assert "hunter2" not in render(folder.findings(folder.source("password: hunter2a\npassword: hunter2b")))


SCHEMAS = st.recursive(
    st.sampled_from(
        [
            {"type": "string"}, {"type": "integer", "minimum": 3}, {"type": ["string", "null"]}, {"enum": ["a", 1]},
            {"const": "a"}, {"$ref": "cgsync:duration"}, {"$ref": "cgsync:size"}, {"type": "string", "x-secret": True},
            {"type": "boolean", "default": True}, True,
        ]
    ),
    lambda inner: st.one_of(
        st.builds(lambda a, b: {"oneOf": [a, b]}, inner, inner),
        st.builds(lambda a, b: {"anyOf": [a, b]}, inner, inner),
        st.builds(lambda a, b: {"if": a, "then": b, "else": {"type": "string"}}, inner, inner),
        st.builds(lambda a: {"type": "array", "items": a, "minItems": 1, "uniqueItems": True}, inner),
        st.builds(
            lambda a, b: {"type": "object", "properties": {"a": a, "b": b}, "required": ["a"],
                          "additionalProperties": False, "maxProperties": 2}, inner, inner,
        ),
        st.builds(
            lambda a: {"type": "object", "patternProperties": {"^a": a}, "propertyNames": {"maxLength": 1}}, inner
        ),
    ),
    max_leaves=6,
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=150)
@given(SCHEMAS, st.text('{}[]ab:, 15\n"-m', max_size=40))
def test_no_schema_and_no_text_make_it_raise_and_what_is_wrong_is_found(schema: object, text: str) -> None:
    from pathlib import Path

    from jsonschema import Draft202012Validator

    from cgsync.plugins.vocabulary import registry

    findings = Findings()
    root = parse(text, Path("c.yaml"), findings)
    if root is None or findings.errors:
        return
    schema = schema if isinstance(schema, dict) else {}
    settled = Guide(root=schema).settle(root)
    judge(settled, schema, (), findings)
    valid = Draft202012Validator(schema, registry=registry()).is_valid(plain(settled, defaults=False))
    assert valid == (findings.errors == 0)
    findings.diagnostics("error")


def test_what_was_filled_in_has_no_place() -> None:
    assert filled_in({"a": [1]}).span is None
    assert Span(file=__file__, line=0, column=3, end_line=0, end_column=3).empty
