"""The contract of the receiving API, and a tenant's own rules beside it."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgsync.contract import Contract, activity_schema, overlay_from
from cgsync.errors import ConfigError

BODY = {"reference": "r", "account": "Acme", "type": "Order", "source": "Shop", "happened_at": "2024-05-01 10:00:00"}
LIMITS = {"reference": 128, "account": 255, "contact": 255, "type": 100, "source": 100}
CONTRACT = Contract()


@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"contact": "ann@acme.example"},
        {"happened_at": "2019-03-06 10:00:00 +0530"},
        {"additional_information_object": {"any": [1, None, {"thing": True}]}},
        {"additional_information_array": {"a": "b"}},
        {"additional_information_array[a]": "b", "additional_information_array[c d]": ""},
    ],
)
def test_what_the_api_takes(extra: dict[str, Any]) -> None:
    assert CONTRACT.problems({**BODY, **extra}) == {}


@pytest.mark.parametrize(
    ("extra", "problems"),
    [
        ({"type": "x" * 104}, {"type": "104 characters, at most 100 are allowed"}),
        ({"account": " "}, {"account": "is blank"}),
        ({"account": ""}, {"account": "is blank"}),
        ({"contact": ""}, {"contact": "is blank"}),
        ({"account": 5}, {"account": "is a number, must be text"}),
        ({"account": None}, {"account": "is null, must be text"}),
        ({"foo": 1}, {"foo": "is not a field of the API"}),
        ({"happened_at": "2024-05-01T10:00:00Z"},
         {"happened_at": '"2024-05-01T10:00:00Z" is not written like 2024-05-01 10:00:00'}),
        ({"additional_information_object": [1]}, {"additional_information_object": "is a list, must be an object"}),
        ({"additional_information_array": {"a": 1}}, {"additional_information_array.a": "is a number, must be text"}),
        ({"additional_information_array[a]": True},
         {"additional_information_array[a]": "is true or false, must be text"}),
        ({"additional_information_object": {}, "additional_information_array": {}},
         {"additional_information_array": "cannot stand beside additional_information_object"}),
        ({"additional_information_object": {}, "additional_information_array[a]": "b"},
         {"additional_information_array[a]": "cannot stand beside additional_information_object"}),
        ({"account": "\ud800"}, {"": "holds half of a surrogate pair, which is no character"}),
    ],
)  # fmt: skip
def test_what_it_does_not_take_and_why(extra: dict[str, Any], problems: dict[str, str]) -> None:
    assert CONTRACT.problems({**BODY, **extra}) == problems


def test_every_missing_field_is_named() -> None:
    assert CONTRACT.problems({}) == dict.fromkeys(BODY, "is required")


@pytest.mark.parametrize(("field", "limit"), LIMITS.items())
@pytest.mark.parametrize("letter", ["x", "ü", "😀"])
def test_lengths_are_counted_in_characters(field: str, limit: int, letter: str) -> None:
    assert CONTRACT.problems({**BODY, field: letter * limit}) == {}
    assert list(CONTRACT.problems({**BODY, field: letter * (limit + 1)})) == [field]


@pytest.mark.parametrize(
    "stamp",
    [
        *("2024-13-01 10:00:00", "2024-05-32 10:00:00", "2024-05-01 24:00:00", "2024-05-01 10:00", "2024-05-01"),
        *("2024-05-01 10:00:00\n", " 2024-05-01 10:00:00", "2024-05-01 10:00:00+0530"),
    ],
)
def test_a_time_has_one_form(stamp: str) -> None:
    assert list(CONTRACT.problems({**BODY, "happened_at": stamp})) == ["happened_at"]


def test_a_list_allows_only_what_it_names() -> None:
    contract = Contract(overlay_from(types=["Order"], accounts=["Acme"]))
    assert contract.problems(BODY) == {}
    said = "is not one of those that the configuration allows"
    assert contract.problems({**BODY, "type": "Call", "account": "Amce"}) == {
        "type": f'"Call" {said}',
        "account": f'"Amce" {said}',
    }


def test_no_list_allows_everything() -> None:
    assert Contract(overlay_from(types=None, accounts=None)).problems(BODY) == {}


def test_an_empty_list_allows_nothing() -> None:
    assert list(Contract(overlay_from(types=[], accounts=None)).problems(BODY)) == ["type"]


def test_an_overlay_adds_to_the_contract_and_takes_nothing_away() -> None:
    contract = Contract({"required": ["contact"], "properties": {"account": {"maxLength": 9999}}})
    assert contract.problems(BODY) == {"contact": "is required"}
    assert "account" in contract.problems({**BODY, "contact": "c", "account": "x" * 256})


def test_an_overlay_may_refer_to_its_own_parts() -> None:
    contract = Contract({"$defs": {"t": {"enum": ["Call"]}}, "properties": {"type": {"$ref": "#/$defs/t"}}})
    assert list(contract.problems(BODY)) == ["type"]


@pytest.mark.parametrize(
    "overlay",
    [
        {"type": "foo"},
        {"properties": 3},
        {"$ref": "#/nowhere"},
        {"properties": {"type": {"pattern": "("}}},
        {"patternProperties": {"(": {}}},
        {"properties": {"type": {"pattern": r"\p{L}"}}},
        {"properties": {"type": {"pattern": r"a\Z"}}},
        {"properties": {"type": {"$ref": "activity.json"}}},
    ],
)
def test_an_overlay_that_either_validator_refuses_is_refused(overlay: dict[str, Any]) -> None:
    """What is written in only one dialect of patterns would hold by luck."""
    with pytest.raises(ConfigError, match="the schema cannot be used"):
        Contract(overlay)


@pytest.mark.parametrize("remote", ["http://127.0.0.1:1/schema.json", "https://json-schema.org/draft-07/schema#"])
def test_what_a_schema_refers_to_elsewhere_is_refused(remote: str) -> None:
    for overlay in ({"$schema": remote}, {"$ref": remote}, {"properties": {"type": {"$ref": remote}}}):
        with pytest.raises(ConfigError):
            Contract(overlay)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


@pytest.mark.parametrize("keyword", ["$ref", "$dynamicRef", "$schema", "$id"])
@pytest.mark.parametrize("nested", [True, False])
def test_a_schema_is_never_fetched(listener: socket.socket, keyword: str, nested: bool) -> None:
    part = {keyword: f"http://127.0.0.1:{listener.getsockname()[1]}/schema.json"}
    with suppress(ConfigError):
        Contract({"properties": {"type": part}} if nested else part)
    with pytest.raises(BlockingIOError):
        listener.accept()


def test_the_published_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(activity_schema())


VALUES = (
    st.none() | st.integers() | st.text() | st.text(min_size=90, max_size=300) | st.dictionaries(st.text(), st.text())
)
FORMS = ["additional_information_array[a]", "additional_information_array", "additional_information_object"]


@given(st.dictionaries(st.sampled_from([*BODY, "contact", "x", *FORMS]), VALUES))
def test_any_body_is_valid_or_has_reasons_and_another_validator_agrees(changes: dict[str, Any]) -> None:
    body = {**BODY, **changes}
    problems = CONTRACT.problems(body)
    assert all(problems.values())
    assert (not problems) == jsonschema.Draft202012Validator(activity_schema()).is_valid(json.loads(json.dumps(body)))
