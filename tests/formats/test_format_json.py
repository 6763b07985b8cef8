"""JSON: lines, arrays, and objects one after another."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgsync.formats import Decoded, DecodeOptions, Limits, Malformed, Undecodable, decode
from cgsync.formats.skimming import Skimmer

text = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=5,
)
objects = st.dictionaries(text, values, max_size=4)


class Dripping(io.BytesIO):
    """A stream that gives a few bytes at a time, so that every cut is tried."""

    def __init__(self, raw: bytes, size: int) -> None:
        super().__init__(raw)
        self._size = size

    def read(self, size: int | None = -1) -> bytes:
        return super().read(self._size if size is None or size < 0 else min(size, self._size))


def read(raw: bytes | str, form: str = "json", **options: Any) -> list[Decoded | Undecodable]:
    stream = io.BytesIO(raw.encode() if isinstance(raw, str) else raw)
    return list(decode(stream, DecodeOptions(format=form, **options)))


def data(items: list[Decoded | Undecodable]) -> list[Any]:
    return [item.data for item in items if isinstance(item, Decoded)]


def reasons(items: list[Decoded | Undecodable]) -> list[str]:
    return [item.reason for item in items if isinstance(item, Undecodable)]


@given(records=st.lists(objects), indent=st.sampled_from([None, 0, 3]), ascii_only=st.booleans())
def test_an_array_is_read_element_by_element(records: list[Any], indent: int | None, ascii_only: bool) -> None:
    assert data(read(json.dumps(records, indent=indent, ensure_ascii=ascii_only))) == records


@given(records=st.lists(objects), ascii_only=st.booleans())
def test_lines_are_read_one_by_one(records: list[Any], ascii_only: bool) -> None:
    lines = [json.dumps(record, ensure_ascii=ascii_only) for record in records]
    assert data(read("\n".join(lines), "ndjson")) == records
    assert data(read("\r\n\r\n".join(lines), "ndjson")) == records


@given(records=st.lists(objects, min_size=1), indent=st.sampled_from([None, 2]))
def test_objects_one_after_another_are_read(records: list[Any], indent: int | None) -> None:
    assert data(read("\n".join(json.dumps(record, indent=indent) for record in records))) == records


@given(records=st.lists(objects, max_size=5), size=st.integers(4, 9))
def test_it_does_not_matter_where_a_chunk_ends(records: list[Any], size: int) -> None:
    raw = json.dumps(records).encode()
    assert data(list(decode(Dripping(raw, size), DecodeOptions(format="json")))) == records


@given(value=values, pieces=st.lists(st.integers(1, 5)))
def test_a_skimmer_finds_the_end_across_pieces(value: Any, pieces: list[int]) -> None:
    raw = json.dumps([value]).encode() + b", more"
    skimmer, at = Skimmer(), 0
    for size in [*pieces, len(raw)]:
        if (end := skimmer.feed(raw[at : at + size])) >= 0:
            break
        at += size
    assert raw[: at + end] == json.dumps([value]).encode()


BAD = {
    "[1]": "not a JSON object",
    '"x"': "not a JSON object",
    "null": "not a JSON object",
    '{"a":NaN}': "NaN is not JSON",
    '{"a":-Infinity}': "-Infinity is not JSON",
    '{"a":1e999}': "the number 1e999 is too large",
    '{"a":' + "9" * 5000 + "}": "a number of 5000 digits",
    '{"a":' + "[" * 64 + "]" * 64 + "}": "nested deeper than 64 levels",
    '{"a":"b\tc"}': "not JSON: Invalid control character at at character 8",
    '{"a" 1}': "not JSON: Expecting ':' delimiter at character 6",
}


@pytest.mark.parametrize("form", ["ndjson", "json"])
@pytest.mark.parametrize("bad", BAD)
def test_one_bad_record_is_refused_in_words_and_the_next_is_read(bad: str, form: str) -> None:
    raw = f'{{"n":1}}\n{bad}\n{{"n":2}}' if form == "ndjson" else f'[{{"n":1}},{bad},{{"n":2}}]'
    items = read(raw, form)
    assert data(items) == [{"n": 1}, {"n": 2}]
    assert reasons(items) == [BAD[bad]]


def test_bytes_that_are_not_utf_8_are_refused_or_fall_back() -> None:
    raw = '{"a":"ü"}\n'.encode() + '{"a":"ü"}\n'.encode("cp1252")
    assert reasons(read(raw, "ndjson")) == ["byte 6 is not utf-8"]
    assert data(read(raw, "ndjson", fallback_encoding="cp1252")) == [{"a": "ü"}, {"a": "ü"}]


def test_what_no_store_takes_is_removed_and_counted() -> None:
    items = read('{"a\\u0000":["\\ud800x","\\ud83d\\ude00"]}', "ndjson")
    assert [(item.data, item.cleaned) for item in items if isinstance(item, Decoded)] == [({"a": ["x", "😀"]}, 2)]


def test_a_backslash_before_u0000_is_text() -> None:
    assert data(read('{"a":"\\\\u0000"}', "ndjson")) == [{"a": "\\u0000"}]


def test_the_last_of_duplicate_keys_wins() -> None:
    assert data(read('{"a":1,"a":2}', "ndjson")) == [{"a": 2}]


def test_large_whole_numbers_keep_their_digits() -> None:
    assert data(read('{"a":123456789012345678901234567890}', "ndjson")) == [{"a": 123456789012345678901234567890}]


@pytest.mark.parametrize("form", ["ndjson", "json"])
def test_a_record_over_the_cap_is_refused_and_the_next_is_read(form: str) -> None:
    long = json.dumps({"a": "x" * 3_000_000})
    raw = f'{long}\n{{"n":2}}' if form == "ndjson" else f'[{long}, {{"n":2}}]'
    items = read(raw, form, limits=Limits(record=1000))
    assert data(items) == [{"n": 2}]
    assert "3000009 bytes, at most 1000" in reasons(items)[0] or "3000010 bytes, at most 1000" in reasons(items)[0]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ('[{"a":1}', "ends before the array"),
        ('[{"a":1},', "ends before the array"),
        ('[{"a":1', "ends inside a record"),
        ('[{"a":1} {"a":2}]', "a comma or the end"),
        ('[{"a":1},]', "a record should stand here"),
        ('[{"a":1}] x', "follows the end"),
        ('{"a":1', "ends inside a record"),
        ('{"a":1}]', "a record should stand here"),
        ('[{"a":"x}]', "ends inside a record"),
    ],
)
def test_where_an_array_breaks_is_told(raw: str, words: str) -> None:
    with pytest.raises(Malformed, match=words):
        read(raw)


@pytest.mark.parametrize("raw", ["", " \n", "[]", " [ ] "])
def test_nothing_is_no_record(raw: str) -> None:
    assert read(raw) == []


def test_a_hundred_thousand_brackets_are_refused_at_once() -> None:
    assert reasons(read("[" + "[" * 100_000 + "]" * 100_000 + "]")) == ["nested deeper than 64 levels"]


def test_lines_and_offsets_are_those_of_the_file() -> None:
    items = read('[\n  {"a":1},\n\n  {"a":\n 2}\n]')
    assert [(item.line, item.offset) for item in items] == [(2, 4), (4, 16)]
