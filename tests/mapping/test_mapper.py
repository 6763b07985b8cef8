"""A compiled mapping, applied to records of strangers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cgsync.api import Record
from cgsync.errors import ConfigError, MappingError
from cgsync.mapping import MAX_ACTIVITY, Mapper, MappingSpec, activity, compile_mapping

Make = Callable[..., Mapper]

FRESHDESK: Mapping[str, Any] = {
    "reference": "freshdesk-{{ ticket.id }}",
    "account": "{{ ticket.company.name }}",
    "contact": "{{ ticket.requester.email }}",
    "type": "Support Ticket",
    "source": "Freshdesk",
    "happened_at": "{{ ticket.created_at }}",
    "additional_information_object": {
        "subject": "{{ ticket.subject }}",
        "status": "{{ ticket.status | label({2: 'Open'}) }}",
        "url": "https://acme.example/a/tickets/{{ ticket.id }}",
    },
}
TICKET: Mapping[str, Any] = {
    "id": 7, "company": {"name": "Acme"}, "requester": {"email": "ann@acme.example"}, "subject": "Broken",
    "status": 2, "created_at": "2024-05-01T12:00:00+02:00",
}  # fmt: skip

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(alphabet=st.characters()) | st.just("{{ 7*7 }}"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def record(data: Mapping[str, Any], key: str = "1") -> Record:
    return Record(key=key, data=data, position="here")


def test_a_ticket_becomes_an_activity_in_the_words_of_the_api(mapper: Make) -> None:
    (body,) = mapper(FRESHDESK).map(record(TICKET), "support")
    assert body == {
        "reference": "freshdesk-7",
        "account": "Acme",
        "contact": "ann@acme.example",
        "type": "Support Ticket",
        "source": "Freshdesk",
        "happened_at": "2024-05-01 10:00:00",
        "additional_information_object": {
            "subject": "Broken",
            "status": "Open",
            "url": "https://acme.example/a/tickets/7",
        },
    }


def test_every_failing_field_is_named_at_once(mapper: Make) -> None:
    with pytest.raises(MappingError) as caught:
        mapper(FRESHDESK).map(record({"id": 7, "company": None, "subject": "x", "status": 9}), "support")
    assert caught.value.reasons == {
        "account": "there is no `name`: what stands before it is null",
        "contact": "there is no `requester`",
        "happened_at": "there is no `created_at`",
        "additional_information_object.status": "there is no label for 9",
    }


@pytest.mark.parametrize(
    "text", ["{{ 7*7 }}", "{% for x in y %}", "{# gone #}", "{{ ticket }}", "${HOME}", "%s", "{0}"]
)
def test_nothing_in_a_record_is_a_template(mapper: Make, text: str) -> None:
    (body,) = mapper(FRESHDESK).map(record({**TICKET, "subject": text, "company": {"name": text}}), "support")
    assert body["additional_information_object"]["subject"] == text
    assert body["account"] == text


def test_a_lone_expression_keeps_its_type_inside_additional_information(render: Callable[..., Any]) -> None:
    for value in ("123", 123, 1.5, True, [1, None, {"a": [False]}], {"deep": {"er": None}}, 10**30):
        assert render("{{ ticket.x }}", {"x": value}) == value
        assert type(render("{{ ticket.x }}", {"x": value})) is type(value)


def test_all_else_is_text(render: Callable[..., Any], mapper: Make) -> None:
    assert render("{{ ticket.x }}{{ ticket.y }}", {"x": 1, "y": 2}) == "12"
    assert render(" {{ ticket.x }}", {"x": 1}) == " 1"
    assert render("{% if ticket.x %}{{ ticket.x }}{% endif %}", {"x": 1}) == "1"
    (body,) = mapper({"account": "{{ ticket.x }}", "contact": 4711}).map(record({"x": 5}), "uid")
    assert (body["account"], body["contact"]) == ("5", "4711")


@pytest.mark.parametrize("template", ["{{ ticket.x }}", "{{ ticket.x | upper if ticket.x else '' }}", "{# nothing #}"])
@pytest.mark.parametrize("value", [None, ""])
def test_null_and_empty_leave_a_key_out(mapper: Make, template: str, value: object) -> None:
    extra = {"contact": template, "additional_information_object": {"x": template}}
    (body,) = mapper(extra).map(record({"x": value}), "uid")
    assert set(body) == {"reference", "account", "type", "source", "happened_at"}


def test_zero_and_false_are_kept(mapper: Make) -> None:
    extra = {
        "additional_information_object": {"zero": "{{ ticket.n }}", "no": "{{ ticket.b }}", "list": "{{ ticket.l }}"}
    }
    (body,) = mapper(extra).map(record({"n": 0, "b": False, "l": []}), "uid")
    assert body["additional_information_object"] == {"zero": 0, "no": False, "list": []}


@pytest.mark.parametrize("value", [None, [1], {"a": 1}])
def test_the_word_none_is_never_sent(mapper: Make, value: object) -> None:
    with pytest.raises(MappingError) as caught:
        mapper({"account": "Acme {{ ticket.x }}"}).map(record({"x": value}), "uid")
    assert list(caught.value.reasons) == ["account"]


def test_a_list_in_a_text_field_is_refused(mapper: Make) -> None:
    with pytest.raises(MappingError, match="account: a list, not a text"):
        mapper({"account": "{{ ticket.x }}"}).map(record({"x": ["a"]}), "uid")


def test_additional_information_may_be_nested_and_hold_constants(mapper: Make) -> None:
    given_ = {"a": {"b": ["{{ ticket.x }}", 2, {"c": "{{ ticket.y }}"}], "empty": {}}, "n": 5, "t": True, "none": None}
    (body,) = mapper({"additional_information_object": given_}).map(record({"x": 1, "y": "z"}), "uid")
    assert body["additional_information_object"] == {"a": {"b": [1, 2, {"c": "z"}]}, "n": 5, "t": True}


def test_a_whole_object_may_come_from_the_record(mapper: Make) -> None:
    (body,) = mapper({"additional_information_object": "{{ ticket.x }}"}).map(record({"x": {"a": [1]}}), "uid")
    assert body["additional_information_object"] == {"a": [1]}


def test_both_spellings_of_the_array_hold_text(mapper: Make) -> None:
    (flat,) = mapper({"additional_information_array[n]": "{{ ticket.n }}"}).map(record({"n": 5}), "uid")
    (whole,) = mapper({"additional_information_array": {"n": "{{ ticket.n }}"}}).map(record({"n": 5}), "uid")
    assert flat["additional_information_array[n]"] == "5"
    assert whole["additional_information_array"] == {"n": "5"}


def test_a_variable_of_one_field_is_unknown_to_the_next(mapper: Make) -> None:
    fields = {
        "contact": "{% set ticket = {'x': 'other'} %}{{ ticket.x }}",
        "account": "{{ ticket.x }}{% if 1 %}!{% endif %}",
    }
    (body,) = mapper(fields).map(record({"x": "own"}), "uid")
    assert (body["contact"], body["account"]) == ("other", "own!")


def test_without_a_reference_source_and_key_make_one(mapper: Make) -> None:
    (body,) = mapper().map(record({}, key="A-1"), "orders")
    assert body["reference"] == "orders:A-1"


def test_without_reference_and_key_a_record_is_refused(mapper: Make) -> None:
    with pytest.raises(MappingError, match="no key"):
        mapper().map(record({}, key=""), "orders")


@pytest.mark.parametrize("value", [None, ""])
def test_a_mapped_reference_that_is_empty_is_refused(mapper: Make, value: object) -> None:
    with pytest.raises(MappingError, match="reference: is empty"):
        mapper({"reference": "{{ ticket.x }}"}).map(record({"x": value}), "orders")


def test_a_long_mapped_reference_is_never_merely_cut(mapper: Make) -> None:
    compiled = mapper({"reference": "mail-{{ ticket.id }}"})
    (one,), (other,) = (compiled.map(record({"id": "m" * 200 + end}), "uid") for end in "ab")
    assert len(one["reference"]) == len(other["reference"]) == 128
    assert one["reference"] != other["reference"]


def test_local_times_are_read_in_the_time_zone_of_the_source(mapper: Make) -> None:
    compiled = mapper({"happened_at": "{{ ticket.at }}"}, timezone=ZoneInfo("Europe/Berlin"), timestamps="offset")
    (body,) = compiled.map(record({"at": "2024-05-01 12:00:00"}), "uid")
    assert body["happened_at"] == "2024-05-01 10:00:00 +0000"
    with pytest.raises(MappingError, match="happened_at: 2024-10-27 02:30:00 exists twice"):
        compiled.map(record({"at": "2024-10-27 02:30:00"}), "uid")


def test_a_false_condition_filters_the_record_before_anything_else_is_looked_at(mapper: Make) -> None:
    compiled = mapper({"account": "{{ ticket.account }}"}, when="{{ ticket.spam is not true }}")
    assert compiled.map(record({"spam": True}), "uid") == ()
    assert len(compiled.map(record({"account": "Acme"}), "uid")) == 1


def test_a_condition_that_fails_is_named(mapper: Make) -> None:
    with pytest.raises(MappingError, match="when: there is no `spam`"):
        mapper(when="{{ ticket.spam }}").map(record({}), "uid")
    with pytest.raises(MappingError, match="when: gives the text 'no'"):
        mapper(when="{{ ticket.spam }}").map(record({"spam": "no"}), "uid")


def test_one_record_may_become_several_activities(mapper: Make) -> None:
    compiled = mapper(
        {"reference": "t-{{ ticket.id }}:created"},
        {"reference": "t-{{ ticket.id }}:solved", "when": "{{ ticket.solved }}"},
    )
    assert [each["reference"] for each in compiled.map(record({"id": 1, "solved": True}), "u")] == [
        "t-1:created",
        "t-1:solved",
    ]
    assert [each["reference"] for each in compiled.map(record({"id": 1, "solved": False}), "u")] == ["t-1:created"]


def test_faults_of_several_activities_are_told_apart(mapper: Make) -> None:
    compiled = mapper(
        {"reference": "a{{ ticket.id }}"}, {"reference": "b", "when": "{{ ticket.x }}", "account": "{{ 1 }}"}
    )
    with pytest.raises(MappingError) as caught:
        compiled.map(record({}), "u")
    assert set(caught.value.reasons) == {"activity[0].reference", "activity[1].when"}


def test_two_activities_of_a_record_never_share_a_reference(mapper: Make) -> None:
    compiled = mapper({"reference": "t-{{ ticket.a }}"}, {"reference": "t-{{ ticket.b }}"})
    with pytest.raises(MappingError, match=r"activity\[1\]\.reference: `t-1` is another activity"):
        compiled.map(record({"a": 1, "b": 1}), "u")


def test_a_lookup_without_any_version_is_not_the_records_fault(mapper: Make) -> None:
    class Broken:
        def get(self, key: str) -> str | None:
            raise ConfigError("the table is gone")

        def digest(self) -> str:
            return ""

    compiled = mapper({"account": "{{ ticket.x | lookup('t') }}"}, lookups={"t": Broken()})
    with pytest.raises(ConfigError, match="gone"):
        compiled.map(record({"x": "y"}), "u")


def test_the_version_follows_everything_that_is_compiled(spec: Callable[..., MappingSpec]) -> None:
    specs = [
        spec(), spec({"account": "B"}), spec(when="{{ true }}"), spec(record_name="r"), spec(timestamps="offset"),
        spec(timezone=ZoneInfo("Europe/Berlin")), spec({"reference": "a"}, {"reference": "b"}),
    ]  # fmt: skip
    versions = [compile_mapping(each).version for each in specs]
    assert len(set(versions)) == len(specs)
    assert versions == [compile_mapping(each).version for each in specs]
    assert all(len(each) == 12 and int(each, 16) >= 0 for each in versions)


def test_expressions_tell_where_each_field_comes_from(mapper: Make) -> None:
    told = mapper({"account": "{{ ticket.a }}", "additional_information_object": {"n": 5}}).expressions()
    assert told["account"] == "{{ ticket.a }}"
    assert told["additional_information_object.n"] == "5"
    assert "activity[1].type" in mapper({"reference": "a"}, {"reference": "b"}).expressions()


def test_a_mapping_with_flaws_is_not_compiled(spec: Callable[..., MappingSpec]) -> None:
    with pytest.raises(ConfigError, match=r"activity\.account: unknown filter `uper`"):
        compile_mapping(spec({"account": "{{ ticket.x | uper }}"}))


def test_equal_bodies_are_equal_bytes_whatever_their_order() -> None:
    one = activity({"reference": "r", "account": "ü", "additional_information_object": {"b": 1, "a": 2}})
    other = activity({"additional_information_object": {"a": 2, "b": 1}, "account": "ü", "reference": "r"})
    assert one == other
    assert one.body == '{"account":"ü","additional_information_object":{"a":2,"b":1},"reference":"r"}'.encode()
    assert one.digest == blake2b(one.body, digest_size=16).digest()


def test_an_activity_is_at_most_256_kib(mapper: Make) -> None:
    large = {f"f{n}": "{{ ticket.x }}" for n in range(5)}
    (body,) = mapper({"additional_information_object": large}).map(record({"x": "x" * 60_000}), "u")
    with pytest.raises(MappingError, match=f"at most {MAX_ACTIVITY:,}"):
        activity(body)


FIELDS = {*FRESHDESK, *(f"additional_information_object.{name}" for name in FRESHDESK["additional_information_object"])}


@given(st.dictionaries(st.sampled_from(sorted(TICKET)), ANYTHING))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_record_is_mapped_or_refused_with_reasons(mapper: Make, changes: dict[str, Any]) -> None:
    reasons: Mapping[str, str] = {}
    body: Mapping[str, Any] = {}
    try:
        (body,) = mapper(FRESHDESK).map(record({**TICKET, **changes}), "support")
    except MappingError as error:
        reasons = error.reasons
    assert bool(body) != bool(reasons)
    assert set(reasons) <= FIELDS
    assert all(reasons.values())
    if body:
        assert json.loads(activity(body).body) == body


@given(st.text(alphabet=st.characters(), min_size=1))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_arrives_without_what_no_store_can_hold(mapper: Make, subject: str) -> None:
    (body,) = mapper(FRESHDESK).map(record({**TICKET, "subject": subject}), "support")
    joined = subject.replace("\0", "").encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
    assert body["additional_information_object"].get("subject", "") == joined
