"""CSV rows: exact where they are sound, refused one by one where they are not."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgsync.formats import CsvOptions, Decoded, DecodeOptions, Limits, Malformed, Undecodable, decode

fields = st.text(alphabet='ab" \n\r;é', max_size=8)
tables = st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(fields, min_size=width, max_size=width), min_size=1))


def read(raw: bytes | str, **options: object) -> list[Decoded | Undecodable]:
    """The items of a CSV; ``options`` of the decoder, or of the dialect."""
    dialect = {
        key: options.pop(key) for key in ("delimiter", "quote", "escape", "header", "skip_rows") if key in options
    }
    stream = io.BytesIO(raw.encode() if isinstance(raw, str) else raw)
    return list(decode(stream, DecodeOptions(format="csv", csv=CsvOptions(**dialect), **options)))


def rows(items: list[Decoded | Undecodable]) -> list[list[str]]:
    return [list(item.data.values()) for item in items if isinstance(item, Decoded)]


def refused(items: list[Decoded | Undecodable]) -> list[tuple[int, bytes]]:
    return [(item.line, item.raw) for item in items if isinstance(item, Undecodable)]


@given(table=tables)
def test_what_was_written_is_read(table: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([[f"h{n}" for n in range(len(table[0]))], *table])
    assert rows(read(text.getvalue(), delimiter=",")) == table


@given(table=tables, place=st.integers(0, 30))
def test_a_stray_quote_costs_its_own_line_only(table: list[list[str]], place: int) -> None:
    plain = [["".join(c for c in field if c.isalpha()) + "x" for field in row] for row in table] * 3
    place %= len(plain)
    lines = [",".join(row) for row in plain]
    lines[place] = '"' + lines[place]
    header = ",".join(f"h{n}" for n in range(len(plain[0])))
    items = read("\n".join([header, *lines]) + "\n")
    if len(plain[0]) > 1 or place < len(plain) - 1:
        assert rows(items) == plain[:place] + plain[place + 1 :]
        assert refused(items) == [(place + 2, (lines[place] + "\n").encode())]


def test_a_quote_that_is_closed_by_accident_many_rows_later_swallows_nothing() -> None:
    """The parser alone would see one sound row with four rows of text in its second field."""
    broken = '1,"Desk,90\n2,Lamp,15\n3,Chair,40\n4,Screen 24",200\n5,Pen,1\n'
    items = read("no,item,price\n" + broken)
    assert rows(items) == [["2", "Lamp", "15"], ["3", "Chair", "40"], ["4", 'Screen 24"', "200"], ["5", "Pen", "1"]]
    assert refused(items) == [(2, b'1,"Desk,90\n')]


@pytest.mark.parametrize("text", ["Dear Sir,\n\nthank you, and bye", "one\ntwo", "a, b\nc, d\ne, f", "x\n\n\n"])
@pytest.mark.parametrize("row", ["{0},1,2\n", "1,{0},2\n", "1,2,{0}\n", "{0},{0},{0}\n"])
def test_text_with_line_breaks_is_text(text: str, row: str) -> None:
    quoted = f'"{text}"'
    items = read("a,b,c\n" + row.format(quoted) * 2)
    assert refused(items) == []
    assert len(rows(items)) == 2


def test_a_ragged_row_is_refused_with_its_line_and_the_rest_is_read() -> None:
    items = read("a;b\n1;2\n3\n4;5;6\n7;8\n")
    assert rows(items) == [["1", "2"], ["7", "8"]]
    assert refused(items) == [(3, b"3\n"), (4, b"4;5;6\n")]
    assert [item.reason for item in items if isinstance(item, Undecodable)] == [
        "1 field, the table has 2 columns",
        "3 fields, the table has 2 columns",
    ]


def test_a_trailing_delimiter_is_no_field() -> None:
    assert rows(read("a,b\n1,2,\n3,4\n")) == [["1", "2"], ["3", "4"]]


def test_values_stay_text() -> None:
    assert rows(read("a,b,c\n007,1.50,true\n")) == [["007", "1.50", "true"]]


def test_blank_lines_are_passed_over() -> None:
    items = read("\n\na,b\n\n1,2\n\n\n3,4\n\n")
    assert rows(items) == [["1", "2"], ["3", "4"]]
    assert [item.line for item in items] == [5, 8]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_told_from_the_first_line(delimiter: str) -> None:
    assert rows(read(f"no{delimiter}amount{delimiter}x\n1{delimiter}2{delimiter}3\n")) == [["1", "2", "3"]]


def test_decimal_commas_do_not_make_a_comma_the_delimiter() -> None:
    assert rows(read("1,5;2,5;3,5\n", header=False)) == [["1,5", "2,5", "3,5"]]


def test_the_line_that_names_the_delimiter_is_no_row() -> None:
    assert rows(read("sep=|\na|b,c\n1|2\n")) == [["1", "2"]]


def test_columns_may_be_numbered_or_named_by_the_configuration() -> None:
    assert read("1,2\n", header=False)[0].data == {"c1": "1", "c2": "2"}
    assert read("x\n1,2\n", header=("a", "b"), skip_rows=1)[0].data == {"a": "1", "b": "2"}


def test_a_column_name_that_comes_twice_gets_a_number() -> None:
    item = read("Label,Label,,Label\n1,2,3,4\n")[0]
    assert isinstance(item, Decoded)
    assert item.data == {"Label": "1", "Label_2": "2", "c3": "3", "Label_3": "4"}


def test_a_byte_order_mark_is_not_part_of_the_first_name() -> None:
    item = read("\ufeffa,b\n1,2\n")[0]
    assert isinstance(item, Decoded)
    assert list(item.data) == ["a", "b"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "cp1252", "shift_jis", "iso8859-15"])
def test_other_encodings_are_read(encoding: str) -> None:
    sign = "表" if encoding == "shift_jis" else "ü"
    raw = f'a,b\n{sign},"x\n{sign}"\n'.encode(encoding)
    told = None if encoding in ("utf-8", "utf-16") else encoding
    assert rows(read(raw, encoding=told)) == [[sign, f"x\n{sign}"]]


def test_a_row_that_is_not_utf_8_is_refused_and_the_rest_is_read() -> None:
    items = read('a,b\n1,"x\n\xff"\n2,ü\n'.encode("latin-1").replace(b"\xfc", "ü".encode()))
    assert rows(items) == [["2", "ü"]]
    assert refused(items) == [(2, b'1,"x\n\xff"\n')]


def test_the_fallback_encoding_holds_from_the_first_row_that_needs_it() -> None:
    raw = "a\nü\n".encode() + "é\nü\n".encode("cp1252")
    assert rows(read(raw, fallback_encoding="cp1252")) == [["ü"], ["é"], ["ü"]]


def test_nul_is_removed_and_counted() -> None:
    item = read(b"a,b\n1\0\0,x\0\n")[0]
    assert isinstance(item, Decoded)
    assert (item.data, item.cleaned) == ({"a": "1", "b": "x"}, 3)


def test_an_endless_line_is_refused_and_the_next_is_read() -> None:
    items = read(b"a,b\n" + b"x" * 3_000_000 + b"\n1,2\n", limits=Limits(record=100_000))
    assert rows(items) == [["1", "2"]]
    assert len(refused(items)[0][1]) == 64 * 1024


def test_quotes_may_be_plain_characters() -> None:
    assert rows(read('a,b\n"1,2"\n', quote="")) == [['"1', '2"']]


def test_an_escaped_quote_does_not_end_a_field() -> None:
    assert rows(read('a,b\n"x\\"y",2\n', escape="\\")) == [['x"y', "2"]]


@pytest.mark.parametrize("raw", [b"", b"\n\n", b"a,b\n", b"\xef\xbb\xbf"])
def test_a_file_without_rows_has_no_records(raw: bytes) -> None:
    assert read(raw) == []


@pytest.mark.parametrize("raw", [b'"a,b\n1,2\n' + b"x\n" * 90_000, b"\xff\xfe\xff,b\n1,2\n"[2:], b"a" * 2_000_000])
def test_a_header_that_cannot_be_read_ends_it(raw: bytes) -> None:
    with pytest.raises(Malformed):
        read(raw)


def test_too_many_columns_end_it() -> None:
    with pytest.raises(Malformed, match="1001 columns, at most 1000"):
        read("," * 1000 + "x\n")


class Counting(io.BytesIO):
    """A stream that counts the bytes that are read from it."""

    taken = 0

    def readline(self, size: int | None = -1) -> bytes:
        line = super().readline(size)
        self.taken += len(line)
        return line


def test_rows_that_leave_a_quote_open_in_every_line_are_not_read_over_and_over() -> None:
    """Each of the 20,000 lines would otherwise be the start of a row that is read to the cap, 4 GB in all."""
    stream = Counting(b"a,b\n" + b'x","\n' * 20_000)
    items = list(decode(stream, DecodeOptions(format="csv", limits=Limits(record=200_000))))
    assert len(refused(items)) == 20_000
    assert stream.taken < 40_000_000


def test_rows_with_blanks_after_the_delimiters_are_rows_too() -> None:
    items = read('no, item, price\n1, x, "Desk\n2, y, Lamp\n3, z, Chair"\n', quote='"')
    assert len(rows(items)) == 3


def test_a_stray_quote_in_a_file_with_blanks_after_the_delimiters_swallows_nothing() -> None:
    items = read('no, item, price\n"1, Desk, 90\n2, Lamp, 15\n3, 5", 7\n')
    assert rows(items) == [["2", " Lamp", " 15"], ["3", ' 5"', " 7"]]
