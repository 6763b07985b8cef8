"""The filters, as templates use them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgsync.errors import MappingError
from cgsync.mapping.environment import Missing
from cgsync.mapping.filters import domain, email, filters_for, slug, truncate

Render = Callable[..., Any]


class Table:
    """A lookup of one entry."""

    def get(self, key: str) -> str | None:
        return {"acme.example": "Acme Inc."}.get(key)

    def digest(self) -> str:
        return ""


@pytest.mark.parametrize(
    ("template", "ticket", "value"),
    [
        ("{{ ticket.at | datetime }}", {"at": 1714557600}, "2024-05-01T10:00:00+00:00"),
        ("{{ ticket.at | datetime('%d.%m.%Y') }}", {"at": "01.05.2024"}, "2024-05-01T00:00:00+00:00"),
        ("{{ ticket.at | datetime(timezone='Asia/Tokyo') }}", {"at": "2024-05-01"}, "2024-05-01T00:00:00+09:00"),
        ("{{ ticket.status | label({2: 'Open'}) }}", {"status": 2}, "Open"),
        ("{{ ticket.status | label({2: 'Open'}) }}", {"status": "2"}, "Open"),
        ("{{ ticket.status | label({'2': 'Open'}) }}", {"status": 2}, "Open"),
        ("{{ ticket.status | label({true: 'Yes'}) }}", {"status": True}, "Yes"),
        ("{{ ticket.status | label({2: 'Open'}) | default('Other') }}", {"status": 9}, "Other"),
        ("{{ ticket.mail | email }}", {"mail": "Ann <Ann@Acme.Example>"}, "Ann@Acme.Example"),
        ("{{ ticket.mail | email }}", {"mail": "a@b.example, c@d.example"}, "a@b.example"),
        ("{{ ticket.mail | email }}", {"mail": '"Doe, Ann" <ann@b.example>, c@d.example'}, "ann@b.example"),
        ("{{ ticket.mail | email | default('none') }}", {"mail": "nobody"}, "none"),
        ("{{ ticket.mail | domain }}", {"mail": "Ann <ann@Acme.Example>"}, "acme.example"),
        ("{{ ticket.mail | domain }}", {"mail": "https://user@www.Acme.example:8443/x?y"}, "www.acme.example"),
        ("{{ ticket.mail | domain }}", {"mail": "ACME.example."}, "acme.example"),
        ("{{ ticket.body | text }}", {"body": "<p>a&amp;b</p><script>x</script><p>c\n d</p>"}, "a&b\nc d"),
        (
            "{{ ticket.body | text }}",
            {"body": "a<b>b</b> c<br>d<table><tr><td>1</td><td>2</td></table>"},
            "ab c\nd\n1 2",
        ),
        ("{{ ticket.body | truncate(10) }}", {"body": "one two three"}, "one two…"),
        ("{{ ticket.body | truncate(10, true, '..') }}", {"body": "one two three"}, "one two .."),
        ("{{ ticket.body | regex_find('#([0-9]+)') }}", {"body": "see #4711"}, "4711"),
        ("{{ ticket.body | regex_find('[0-9]+') }}", {"body": "see #4711"}, "4711"),
        ("{{ ticket.body | regex_find('#x') | default('-') }}", {"body": "see #4711"}, "-"),
        ("{{ ticket.name | slug }}", {"name": "  Müller & Söhne GmbH "}, "muller-sohne-gmbh"),
        ("{{ ticket.name | slug }}", {"name": "Привет, мир"}, "привет-мир"),
        ("{{ ticket.name | hash(8) }}", {"name": "x"}, "0909377a"),
        ("{{ ticket.list | json }}", {"list": [1, {"a": None}]}, '[1,{"a":null}]'),
        ("{{ ticket.none | slug }}", {"none": None}, None),
        ("{{ ticket.gone | domain | lookup('accounts') | default('x') }}", {}, "x"),
    ],
)
def test_what_filters_give(render: Render, template: str, ticket: Any, value: Any) -> None:
    assert render(template, ticket, lookups={"accounts": Table()}) == value


def test_lookup_gives_what_stands_beside_the_value(render: Render) -> None:
    found = render(
        "{{ ticket.m | domain | lookup('accounts') }}", {"m": "a@Acme.example"}, lookups={"accounts": Table()}
    )
    assert found == "Acme Inc."


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ ticket.x | lookup('accounts') }}", "the lookup `accounts` has no entry for 'y'"),
        ("{{ ticket.x | lookup(ticket.x) }}", "there is no lookup 'y'"),
        ("{{ ticket.x | label({1: 'a'}) }}", "there is no label for 'y'"),
        ("{{ ticket.x | email }}", "there is no e-mail address in 'y'"),
        ("{{ ticket.x | regex_find('z') }}", "the pattern 'z' is not found"),
        ("{{ ticket.x | regex_find('(' ~ ticket.x) }}", "bad pattern"),
        ("{{ ticket.x | hash(0) }}", "1 to 128 digits"),
        ("{{ ticket.x | datetime(timezone='Mars/Base') }}", "there is no time zone 'Mars/Base'"),
        ("{{ ticket.x | datetime(timezone='../etc') }}", "there is no time zone"),
        ("{{ ticket.x | datetime }}", "not a date"),
    ],
)
def test_a_filter_that_fails_says_why(render: Render, template: str, said: str) -> None:
    with pytest.raises(MappingError, match=r"additional_information_object\.value") as caught:
        render(template, {"x": "y"}, lookups={"accounts": Table()})
    assert said in str(caught.value)


def test_a_pattern_that_would_be_slow_elsewhere_is_not(render: Render) -> None:
    """With a backtracking engine this would not end in our lifetime."""
    assert render("{{ ticket.x | regex_find('(a+)+$') | default('no') }}", {"x": "a" * 50_000 + "b"}) == "no"


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])), st.integers(0, 60), st.booleans())
def test_truncated_text_is_never_longer_than_asked(text: str, length: int, killwords: bool) -> None:
    assert len(truncate(text, length, killwords)) <= length


@given(st.text())
def test_addresses_and_domains_of_strangers_have_no_blanks(text: str) -> None:
    for found in (email(text), domain(text)):
        assert isinstance(found, Missing) or (isinstance(found, str) and found and not any(map(str.isspace, found)))


@given(st.text())
def test_a_slug_of_a_slug_is_itself(text: str) -> None:
    assert slug(slug(text)) == slug(text)


@pytest.mark.parametrize("name", sorted(set(filters_for(ZoneInfo("UTC"), {})) - {"json", "tojson"}))
def test_null_and_missing_pass_through(name: str) -> None:
    function = filters_for(ZoneInfo("UTC"), {})[name]
    missing = Missing(name="x")
    assert function(None) is None
    assert function(missing) is missing
