"""What is wrong with a mapping, told before any record is seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cgsync.errors import ConfigError
from cgsync.mapping import Flaw, MappingSpec, compile_mapping, flaws

Make = Callable[..., MappingSpec]


class Table:
    def get(self, key: str) -> str | None:
        return None

    def digest(self) -> str:
        return ""


def test_a_good_mapping_has_none(spec: Make) -> None:
    template = "{% for x in ticket.l %}{{ x | upper }}{% endfor %}{{ range(3) | join }}"
    good = spec({"account": template, "when": "{{ ticket.a is defined }}", "additional_information_object": {"a": [1]}})
    assert flaws(good) == []


@pytest.mark.parametrize(
    ("template", "message", "help_"),
    [
        ("{{ ticket.x", "template, line 1: unexpected end of template, expected 'end of print statement'.", ""),
        ("{% if ticket %}", "template, line 1: Unexpected end of template.", ""),
        ("{{ ticket.x | uper }}", "unknown filter `uper`", "did you mean `upper`?"),
        ("{{ ticket.x | random }}", "unknown filter `random` (not available here)", ""),
        ("{{ ticket.x is defind }}", "unknown test `defind`", "did you mean `defined`?"),
        ("{{ tiket.x }}", "there is no variable `tiket`", "did you mean `ticket`?"),
        ("{{ now() }}", "there is no variable `now`", "the record is called `ticket`"),
        ("{{ lipsum() }}", "there is no variable `lipsum`", "the record is called `ticket`"),
        ("{{ ticket.x | lookup('acounts') }}", "there is no lookup `acounts`", "did you mean `accounts`?"),
        ("{{ ticket.x | lookup }}", "lookup needs the name of a table", "for instance | lookup('accounts')"),
        ("{{ ticket.x | regex_find('(') }}", "bad pattern: missing ): (", None),
        ("{{ ticket.x | regex_find('(?=x)') }}", "bad pattern: invalid perl operator: (?=", None),
        ("{{ ticket.x | datetime('%Q') }}", "bad format: 'Q' is a bad directive in format '%Q'", "see strptime"),
        ("{{ ticket.x | datetime('%Y %Z') }}", "%Z reads the name of a zone and then ignores it", None),
        ("{% include 'x' %}", "`include` is not available: a template stands alone", ""),
        ("{% extends 'x' %}", "`extends` is not available: a template stands alone", ""),
        ("{% block a %}{% endblock %}", "`block` is not available: a template stands alone", ""),
    ],
)
def test_a_bad_template(spec: Make, template: str, message: str, help_: str | None) -> None:
    (flaw,) = flaws(spec({"account": template}, lookups={"accounts": Table()}))
    assert flaw.path == ("activity", "account")
    assert flaw.message.startswith(message)
    assert help_ is None or help_ in flaw.help


@pytest.mark.parametrize(
    ("activity", "path", "message"),
    [
        ({"acount": "x"}, ("activity", "acount"), "unknown key"),
        ({"account": None}, ("activity",), "`account` is missing"),
        ({"type": ""}, ("activity",), "`type` is missing"),
        ({"account": ["a"]}, ("activity", "account"), "is a list, not a text"),
        ({"account": {"a": "b"}}, ("activity", "account"), "is an object, not a text"),
        ({"account": {"a": "{{ ticket.x }}"}}, ("activity", "account"), "is an object, not a text"),
        ({"additional_information_array[a]": ["{{ ticket.x }}"]},
         ("activity", "additional_information_array[a]"), "is a list, not a text"),
        ({"happened_at": "yesterday"}, ("activity", "happened_at"), "'yesterday' is not a date that is understood"),
        ({"happened_at": 5}, ("activity", "happened_at"), "5 is ambiguous"),
        ({"reference": ""}, ("activity", "reference"), "is empty"),
        ({"when": "ticket.x"}, ("activity", "when"), "is no condition"),
        ({"when": 5}, ("activity", "when"), "is no condition"),
        ({"additional_information_object": {"a": {"b": ["{{ x }}"]}}},
         ("activity", "additional_information_object", "a", "b", 0), "there is no variable `x`"),
        ({"additional_information_object": {}, "additional_information_array": {"a": "b"}},
         ("activity", "additional_information_object"), "cannot stand beside additional_information_array"),
        ({"additional_information_object": {}, "additional_information_array[a]": "b"},
         ("activity", "additional_information_object"), "cannot stand beside additional_information_array"),
        ({"additional_information_array[]": "b"}, ("activity", "additional_information_array[]"), "unknown key"),
        ({"additional_information_array": {"a": {"b": 1}}},
         ("activity", "additional_information_array", "a"), "is an object, not a text"),
        ({"additional_information_array": ["a"]},
         ("activity", "additional_information_array"), "is a list, not an object"),
        ({"additional_information_object": ["{{ ticket.x }}"]},
         ("activity", "additional_information_object"), "is a list, not an object"),
        ({"additional_information_object": "x"},
         ("activity", "additional_information_object"), "is text, not an object"),
        ({"account": "x" * 70_000}, ("activity", "account"), "70,000 bytes"),
    ],
)  # fmt: skip
def test_a_bad_activity(spec: Make, activity: dict[str, Any], path: tuple[str | int, ...], message: str) -> None:
    (flaw,) = flaws(spec(activity))
    assert flaw.path == path
    assert flaw.message.startswith(message)


def test_all_flaws_are_told_at_once(spec: Make) -> None:
    found = flaws(spec({"account": "{{ a }}", "type": "{{ ticket | b }}", "foo": 1}, when="{{"))
    assert [each.path for each in found] == [
        ("when",), ("activity", "foo"), ("activity", "account"), ("activity", "type"),
    ]  # fmt: skip


def test_each_activity_of_a_list_states_its_own_reference(spec: Make) -> None:
    found = flaws(spec({"reference": "a"}, {}))
    assert [(each.path, each.message) for each in found] == [
        (("activity", 1), "`reference` is missing: each activity of a list states its own")
    ]


def test_a_list_of_one_is_counted_as_a_list_when_it_was_written_so(spec: Make) -> None:
    assert [each.path for each in flaws(spec({"account": "{{ a }}"}, listed=True))] == [("activity", 0, "account")]


@pytest.mark.parametrize("name", ["my ticket", "1st", "range", "loop", "none", "cgsync_x", ""])
def test_a_record_has_a_name_that_templates_can_say(spec: Make, name: str) -> None:
    assert ("as",) in [each.path for each in flaws(spec(record_name=name))]


def test_a_mapping_without_activities_is_a_flaw(spec: Make) -> None:
    assert [each.message for each in flaws(spec(activities=[]))] == ["names no activity"]


def test_a_template_without_a_bottom_is_refused(spec: Make) -> None:
    (flaw,) = flaws(spec({"account": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}"}))
    assert flaw == Flaw(path=("activity", "account"), message="template: too deep", help="write it in fewer levels")


PIECES = (
    "{{ }} {% %} {# #} ticket .x | upper ( ) ' if for in endif endfor set = a 1 [ ] , block raw macro else is defined "
    "~ - call with endcall endmacro endraw autoescape filter do trans"
)
SNIPPETS = st.sampled_from(PIECES.split())


@given(st.lists(SNIPPETS, max_size=14).map(" ".join) | st.text(alphabet="{}%#|'\"abc ._()[]", max_size=20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_has_no_flaws_compiles_and_what_has_some_does_not(spec: Make, template: str) -> None:
    mapping = spec({"account": template or "x"})
    if flaws(mapping):
        with pytest.raises(ConfigError):
            compile_mapping(mapping)
    else:
        assert compile_mapping(mapping).version
