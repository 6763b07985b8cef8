"""Whatever bytes come, a decoder ends, keeps its place, and goes on from any record as if it had never stopped."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cgsync.formats import (
    FORMATS,
    START,
    CsvOptions,
    Decoded,
    DecodeOptions,
    Limits,
    Malformed,
    Resume,
    Undecodable,
    decode,
)

Item = Decoded | Undecodable

TOKENS = [
    b'"', b'""', b",", b";", b"\n", b"\r\n", b"\r", b"\t", b" ", b"a", b"1", b"\\", b'\\"', b"{", b"}", b"[", b"]",
    b":", b'{"a":1}', b"[1]", b'"a"', b"NaN", b"1e999", b"-", b"null", b"\\u0000", b"\\ud800", b"\x00", b"\xff",
    b"\xc3\xa4", b"\xef\xbb\xbf", b"\xff\xfe", b"sep=;\n", b'x","', b"9" * 30,
]  # fmt: skip
soup = st.lists(st.one_of(st.sampled_from(TOKENS), st.binary(max_size=3)), max_size=60).map(b"".join)
small = Limits(record=40, columns=5, depth=3)
options = st.builds(
    DecodeOptions,
    format=st.sampled_from(sorted(FORMATS)),
    encoding=st.sampled_from([None, None, None, "cp1252", "utf-16", "shift_jis"]),
    fallback_encoding=st.sampled_from([None, "cp1252"]),
    csv=st.builds(
        CsvOptions,
        delimiter=st.sampled_from([None, ","]),
        quote=st.sampled_from(['"', ""]),
        escape=st.sampled_from(["", "\\"]),
        header=st.sampled_from([True, False, ("a", "b")]),
        skip_rows=st.integers(0, 2),
    ),
    limits=st.sampled_from([Limits(), small]),
)


def read_all(raw: bytes, options: DecodeOptions, resume: Resume = START) -> tuple[list[Item], str]:
    """All items, and the words of what ended them, if something did."""
    items: list[Item] = []
    try:
        for item in decode(io.BytesIO(raw), options, resume):
            items.append(item)  # noqa: PERF402 - what came before an exception counts
    except Malformed as error:
        return items, str(error)
    return items, ""


def places(items: Sequence[Item]) -> list[int]:
    return [place for item in items for place in (item.offset, item.after.offset)]


@settings(max_examples=200)
@given(raw=soup, options=options)
def test_any_bytes_are_read_to_an_end(raw: bytes, options: DecodeOptions) -> None:
    items, _ = read_all(raw, options)
    assert places(items) == sorted(places(items))
    assert [item.row for item in items] == list(range(len(items)))
    assert all(item.offset < item.after.offset for item in items)
    for item in items:
        if isinstance(item, Undecodable):
            assert item.reason
            assert item.reason.isprintable()


@settings(max_examples=200)
@given(raw=soup, options=options, data=st.data())
def test_it_goes_on_from_any_record(raw: bytes, options: DecodeOptions, data: st.DataObject) -> None:
    items, end = read_all(raw, options)
    if not items:
        return
    place = data.draw(st.integers(0, len(items) - 1))
    resume = Resume.from_json(items[place].after.as_json())
    assert read_all(raw, options, resume) == (items[place + 1 :], end)


@settings(max_examples=200)
@given(raw=soup, options=options)
def test_no_character_that_cannot_be_stored_comes_out(raw: bytes, options: DecodeOptions) -> None:
    for item in read_all(raw, options)[0]:
        if isinstance(item, Decoded):
            text = repr(item.data)
            assert "\\x00" not in text.replace("\\\\", "")
            str(item.data).encode()


@pytest.mark.parametrize("value", [{"offset": -1, "line": 1, "row": 0}, {}, {"offset": "x", "line": 1, "row": 0}])
def test_a_place_that_nobody_stored_is_refused(value: dict[str, object]) -> None:
    with pytest.raises((KeyError, ValueError)):
        Resume.from_json(value)
