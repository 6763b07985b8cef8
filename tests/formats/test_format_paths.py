"""JSONPath: what is selected, what is no path, and how much may be looked at."""

from __future__ import annotations

from typing import Any

import jsonpath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgsync.formats import Malformed, compile_path, select

DOCUMENT = {
    "tickets": [
        {"id": 1, "status": "open", "by": {"mail": "ann@acme.example"}},
        {"id": 2, "status": "closed", "by": {"mail": "bob@acme.example"}},
        {"id": 3, "by": None},
    ],
    "next": "/tickets?page=2",
    "a b": {"": 7},
}

SELECTED = {
    "$": [DOCUMENT],
    "next": ["/tickets?page=2"],
    "$.next": ["/tickets?page=2"],
    "tickets[*].id": [1, 2, 3],
    "$.tickets.*.id": [1, 2, 3],
    "$['tickets'][0]['id']": [1],
    "$.tickets[-1].id": [3],
    "$.tickets[1:].id": [2, 3],
    "$.tickets[0,2].id": [1, 3],
    "$..mail": ["ann@acme.example", "bob@acme.example"],
    "$.tickets[?@.status == 'open'].id": [1],
    "$.tickets[?@.status].id": [1, 2],
    "$.tickets[?!@.status || @.id < 2].id": [1, 3],
    "$.tickets[?match(@.by.mail, 'a.*@acme[.]example')].id": [1],
    "$.tickets[?search(@.by.mail, 'acme')].id": [1, 2],
    "$.tickets[?match(@.by.mail, 'acme')].id": [],
    "$.tickets[?length(@.by.mail) > 99]": [],
    '$["a b"][""]': [7],
    "$.nothing.at.all": [],
    "$.next[0]": [],
    "$.next.*": [],
    "$.tickets[9]": [],
}


@pytest.mark.parametrize("path", SELECTED)
def test_a_path_selects(path: str) -> None:
    assert select(DOCUMENT, path) == SELECTED[path]


@pytest.mark.parametrize("document", [None, 1, "text", '{"a": 1}', [], {}])
def test_what_has_no_parts_has_nothing_to_select(document: Any) -> None:
    """Text is text, also where it looks like JSON."""
    assert [select(document, path) for path in ("$.a", "$[*].a", "$..a", "$[?@.a]")] == [[], [], [], []]
    assert select([document], "$[?@.a]") == []


MISTAKES = {
    "": "'' is no JSONPath: expected a shorthand selector at character 1",
    "$.a b": "'$.a b' is no JSONPath: unexpected token 'b' at character 5",
    "a.b c": "'a.b c' is no JSONPath: unexpected token 'c' at character 5",
    "tickets[": "'tickets[' is no JSONPath: unexpected end of query at character 9",
    "$.a | $.b": "'$.a | $.b' is no JSONPath: unexpected token '|' at character 5",
    "$[?foo(@.a)]": "'$[?foo(@.a)]' is no JSONPath: function 'foo' is not defined at character 4",
}


@pytest.mark.parametrize("path", MISTAKES)
def test_a_mistake_is_named_with_its_place(path: str) -> None:
    with pytest.raises(ValueError) as caught:
        compile_path(path)
    assert str(caught.value) == MISTAKES[path]


@pytest.mark.parametrize("pattern", ["(?<x", "(", "(?=a)", r"(a)\\1"])
def test_a_pattern_that_could_take_for_ever_or_is_none_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="bad pattern"):
        compile_path(f"$[?search(@.a, '{pattern}')]")


def test_a_pattern_out_of_the_document_that_is_none_matches_nothing() -> None:
    assert select([{"a": "x", "p": "("}, {"a": "x", "p": "x"}], "$[?match(@.a, @.p)].p") == ["x"]


def test_a_hostile_text_does_not_hold_up_a_pattern() -> None:
    """A backtracking engine would need longer than the age of the universe."""
    assert select([{"a": "a" * 100_000}], "$[?match(@.a, '(a|a)*b')]") == []


@pytest.mark.parametrize("path", ["$" + "[" * 1500, "$[?" + "(" * 1900, "$" + "[?@" * 500, "$." + "a" * 5000])
def test_a_hostile_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError) as caught:
        compile_path(path)
    assert len(str(caught.value)) < 400


def test_a_selection_that_never_ends_is_refused() -> None:
    document: Any = [0] * 10
    for _ in range(60):
        document = [document] * 2  # 2 to the 60th leaves, in no memory at all
    with pytest.raises(Malformed, match="would look at more than 5000000 values"):
        select(document, "$..*")


names = st.sampled_from(["a", "b", "c"])
documents = st.recursive(
    st.none() | st.integers(0, 3) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=20,
)
steps = st.sampled_from(
    [".a", ".b", ".*", "[*]", "[0]", "[-1]", "[5]", "[1:]", "[::-1]", "[:2:0]", "['a','b']", "..a", "..*", "..[0]",
     "[?@.a]", "[?@ == 1]", "[?@.a == $.b]", "[?count(@.*) > 1]", "['a', 0, ?@.b]", "..[?@.a]"]
)  # fmt: skip


@given(document=documents, path=st.lists(steps, max_size=3).map(lambda parts: "$" + "".join(parts)))
def test_it_selects_what_the_library_would(document: Any, path: str) -> None:
    library = jsonpath.JSONPathEnvironment(strict=True)
    expected = [document] if path == "$" else [] if isinstance(document, str) else library.findall(path, document)
    assert select(document, path) == expected
