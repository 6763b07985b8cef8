"""YAML is read with positions, and what YAML is known to surprise with does not happen."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgsync.config.diagnostics import Diagnostic
from cgsync.config.findings import Findings
from cgsync.config.nodes import Node, plain
from cgsync.config.words import walk
from cgsync.config.yaml import parse

FILE = Path("c.yaml")


def read(text: str) -> tuple[Node | None, tuple[Diagnostic, ...]]:
    findings = Findings()
    root = parse(text, FILE, findings)
    return root, findings.diagnostics("error")


def value(text: str) -> Any:
    root, found = read(f"v: {text}\n")
    assert root is not None
    assert not found
    return plain(root)["v"]


def refusal(text: str) -> Diagnostic:
    root, found = read(text)
    assert root is None
    return found[-1]


@pytest.mark.parametrize("text", ["yes", "no", "on", "off", "Yes", "NO", "True", "FALSE", "y", "Null", "TRUE"])
def test_only_true_and_false_are_booleans(text: str) -> None:
    assert value(text) == text


@pytest.mark.parametrize(
    "text",
    ["12:30", "9:00", "1:2:3", "010", "08", "0777", "0x1f", "0o17", "1_000", "+5", ".5", "5.", ".inf", "-.nan", "1e999",
     "2024-01-01", "52:54:00:12:34:56", "=", "1.2.3"],
)  # fmt: skip
def test_what_looks_like_a_number_to_some_is_text(text: str) -> None:
    assert value(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [("true", True), ("false", False), ("null", None), ("~", None), ("", None), ("0", 0), ("-7", -7), ("42", 42),
     ("1.5", 1.5), ("-0.25", -0.25), ("1e3", 1000.0), ("12345678901234567890", 12345678901234567890)],
)  # fmt: skip
def test_the_plain_words_and_numbers_are_typed(text: str, expected: Any) -> None:
    found = value(text)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize("text", ['"true"', "'5'", '"~"', '""', "|-\n  5"])
def test_quotes_make_text(text: str) -> None:
    assert isinstance(value(text), str)


def test_keys_are_text_however_they_look() -> None:
    root, found = read("on: 1\nno: 2\n1: 3\nnull: 4\n12:30: 5\n")
    assert not found
    assert root is not None
    assert list(plain(root)) == ["on", "no", "1", "null", "12:30"]


def test_every_value_knows_its_place_in_characters() -> None:
    root, _ = read("ü: [ä, '😀x', {k: v}]\n")
    assert root is not None
    spots = {path: (node.span.line, node.span.column) for path, node in walk(root) if node.span}
    assert spots[("ü", 1)] == (0, 7)
    assert spots[("ü", 2, "k")] == (0, 17)


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm() -> None:
    root, found = read("a: 1\r\nb: 2\r\nb: 3\r\n")
    assert root is not None
    assert plain(root) == {"a": 1, "b": 2}
    assert (found[0].line, found[0].column) == (3, 1)


def test_an_empty_file_is_an_empty_mapping() -> None:
    for text in ("", "# nothing\n", "---\n", "~\n"):
        root, found = read(text)
        assert root is not None
        assert plain(root) == {}
        assert not found


def test_a_duplicate_key_is_named_with_the_first_one() -> None:
    _, (found,) = read("a: 1\nb:\n  c: 1\n  'c': 2\n")
    assert (found.line, found.column, found.path, found.message) == (4, 3, "b.c", "is given twice")
    assert "line 3" in found.help


def test_merge_keys_and_tags_are_refused_and_the_rest_is_read() -> None:
    root, found = read("a: &x {p: 1}\nb:\n  <<: *x\n  q: !!str 2\nc: !vault x\n")
    assert [(each.line, each.path) for each in found] == [(3, "b.<<"), (4, "b.q"), (5, "c")]
    assert root is not None


def test_an_alias_stands_for_what_it_names() -> None:
    root, found = read("a: &x [1, 2]\nb: *x\n")
    assert root is not None
    assert plain(root) == {"a": [1, 2], "b": [1, 2]}
    assert not found


def test_a_bomb_of_aliases_is_refused_at_once() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    start = time.process_time()
    found = refusal("\n".join(lines))
    assert "more than 100000 values" in found.message
    assert time.process_time() - start < 1


def test_deep_nesting_is_refused_before_anything_is_built() -> None:
    start = time.process_time()
    assert "64 levels" in refusal("a: " + "[" * 100_000).message
    assert "64 levels" in refusal("a: " + "{a: " * 100_000).message
    assert time.process_time() - start < 1


def test_aliases_do_not_get_around_the_depth() -> None:
    deep = "[" * 40 + "x" + "]" * 40
    assert "64 levels" in refusal(f"a: &a {deep}\nb: {'[' * 30}*a{']' * 30}\n").message


def test_an_alias_within_what_it_stands_for_is_refused() -> None:
    assert "stands within" in refusal("a: &a [*a]\n").message
    assert "no anchor" in refusal("a: *b\n").message


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a: b: c\n", (1, 5), "cannot stand here"),
        ("a:\n\tb: 1\n", (2, 1), "a tab cannot indent"),
        ("a: {x: ${X}}\n", (1, 9), "goes wrong here"),
        ("a:\n  b: 1\n c: 2\n", (3, 2), "indentation"),
        ("a: @x\n", (1, 4), "no value can begin"),
        ('a: "open\n', (2, 1), "ends within quotes"),
        ("a: 1\n---\nb: 2\n", (2, 1), "second document"),
        ("? [a]\n: b\n", (1, 3), "a key must be plain text"),
        ("a: x\x00y\n", (1, 5), "U+0000"),
        ("a: \x1b[31m\n", (1, 4), "U+001B"),
        ('a: "\\ud83d"\n', (1, 7), "half of a character"),
    ],
)
def test_what_is_not_yaml_is_explained_at_its_place(text: str, place: tuple[int, int], words: str) -> None:
    found = refusal(text)
    assert (found.line, found.column) == place
    assert words in found.message


def test_surrogate_pairs_of_json_are_joined() -> None:
    assert value('"\\ud83d\\ude00!"') == "😀!"
    assert value("'\\ud83d\\ude00'") == "\\ud83d\\ude00"


def test_a_line_that_cannot_be_parsed_does_not_show_a_secret() -> None:
    found = refusal('client_secret: hunter2: "x"\n')
    assert "hunter2" not in found.snippet


@given(st.text(max_size=200))
def test_no_text_makes_it_raise(text: str) -> None:
    root, found = read(text)
    assert root is not None or found


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x7f"), max_size=5)


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(-(10**50), 10**50), TEXT),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
        max_leaves=6,
    )
)
def test_json_is_read_as_json_means_it(document: Any) -> None:
    root, found = read(json.dumps({"v": document}))
    assert root is not None, found
    assert plain(root) == {"v": document}
