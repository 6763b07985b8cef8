"""What templates can see and do, and what they cannot."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgsync.errors import MappingError
from cgsync.mapping.environment import open_context, open_sandbox
from cgsync.mapping.mapper import FAULTS
from cgsync.mapping.templates import compile_fields

Render = Callable[..., Any]


@pytest.mark.parametrize("name", ["items", "keys", "update", "from", "if", "copy", "get", "class", "__class__", "not"])
def test_a_dot_looks_at_keys_only(render: Render, name: str) -> None:
    assert render(f"{{{{ ticket.{name} }}}}", {name: "field"}) == "field"
    assert render(f"{{{{ ticket.{name} | default('none') }}}}", {"other": 1}) == "none"


@pytest.mark.parametrize(
    "template",
    [
        "{{ ticket.x.__class__ }}",
        "{{ ticket['__class__'] }}",
        "{{ ticket.x.upper() }}",
        "{{ ticket.x.format(ticket) }}",
        "{{ ticket.list.append(1) }}",
        "{{ ticket.update({}) }}",
        "{{ ().__class__.__base__ }}",
        "{{ range.__globals__ }}",
        "{{ namespace.__init__ }}",
        "{{ dict.mro() }}",
        "{{ self.__init__ }}",
        "{{ ticket | map(attribute='__class__') | list }}",
    ],
)
def test_no_attribute_of_any_object_is_reached(render: Render, template: str) -> None:
    with pytest.raises(MappingError):
        render(template, {"x": "text", "list": [1]})


@pytest.mark.parametrize(
    "template", ["{{ 'x' * 10 ** 9 }}", "{{ [1] * 99999999 }}", "{{ 2 ** 99999 }}", "{{ 'x' ** 2 }}"]
)
def test_what_would_eat_the_memory_is_refused(render: Render, template: str) -> None:
    with pytest.raises(MappingError):
        render(template)


def test_a_loop_is_bounded(render: Render) -> None:
    with pytest.raises(MappingError, match="Range too big"):
        render("{% for i in range(1000000) %}x{% endfor %}")


def test_arithmetic_works(render: Render) -> None:
    assert render("{{ ticket.n * 2 + 2 ** 3 }}", {"n": 5}) == 18


def test_loops_and_variables_work(render: Render) -> None:
    template = "{% for each in ticket.tags %}{{ loop.index }}={{ each }}{% if not loop.last %}, {% endif %}{% endfor %}"
    assert render(template, {"tags": ["a", "b"]}) == "1=a, 2=b"
    counting = "{% set ns = namespace(n=0) %}{% for t in ticket.tags %}{% set ns.n = ns.n + t %}{% endfor %}{{ ns.n }}"
    assert render(counting, {"tags": [1, 2]}) == "3"


def test_a_macro_works(render: Render) -> None:
    assert render("{% macro twice(x) %}{{ x }}{{ x }}{% endmacro %}{{ twice(ticket.a) }}", {"a": "ab"}) == "abab"


def test_a_missing_field_chains_until_a_default(render: Render) -> None:
    assert render("{{ ticket.a.b['c'].d[0] | default('x') }}", {"a": None}) == "x"


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ ticket.subjct }}", "there is no `subjct` did you mean `subject`?"),
        ("{{ ticket.subject.name }}", "text has no `name`; where a method was meant, use a filter: | name"),
        ("{{ ticket.none.name }}", "there is no `name`: what stands before it is null"),
        ("{{ ticket.list.name }}", "there is no `name`: what stands before it is a list"),
        ("{{ ticket.list[7] }}", "there is no `7`"),
        ("{{ [ticket.gone] }}", "there is no `gone`"),
        ("{{ {'a': {'b': ticket.gone}} }}", "there is no `gone`"),
        ("a {{ ticket.gone }} b", "there is no `gone`"),
        ("{% if ticket.gone %}x{% endif %}", "there is no `gone`"),
        ("{{ ticket.gone == 1 }}", "there is no `gone`"),
        ("{{ ticket.gone | upper }}", "there is no `gone`"),
    ],
)
def test_a_missing_field_is_an_error_wherever_it_is_used(render: Render, template: str, said: str) -> None:
    with pytest.raises(MappingError) as caught:
        render(template, {"subject": "x", "none": None, "list": [1]})
    assert said in str(caught.value)


EXPRESSIONS = st.sampled_from(
    [
        *(
            "{{ r.a }}",
            "{{ r.a.b }}",
            "x{{ r.a }}",
            "{{ r.a[0] }}",
            "{{ r.a | upper }}",
            "{{ r.a + 1 }}",
            "{{ r[r.a] }}",
        ),
        *("{% for x in r.a %}{{ x }}{% endfor %}", "{{ r.a | length }}", "{{ r.a | sort }}", "{{ r.a | int }}"),
        *("{{ r.a | join(',') }}", "{{ r.a in r.b }}", "{{ r.a ~ r.b }}", "{{ r.a | round }}", "{{ r.a % 3 }}"),
        *("{{ r.a * r.b }}", "{{ r.a // r.b }}", "{{ r.a ** r.b }}", "{{ r.a | sum }}", "{{ r.a is odd }}"),
        *("{{ r.a | truncate(5) }}", "{{ r.a | replace(r.b, 'x') }}", "{{ range(r.a) | list | length }}"),
    ]
)
DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(EXPRESSIONS, DATA, DATA)
def test_a_template_fails_only_in_ways_that_reject_the_record(template: str, a: object, b: object) -> None:
    sandbox = open_sandbox({})
    with suppress(*FAULTS):
        compile_fields(sandbox, [template])(open_context(sandbox, {"r": {"a": a, "b": b}}))
