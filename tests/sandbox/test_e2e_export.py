"""The generated export is what it says: a plain reader that quarantines one line at a time finds the same."""

from __future__ import annotations

import csv
import importlib.util
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def export() -> Iterator[ModuleType]:
    path = Path(__file__).parents[1] / "e2e" / "export.py"
    spec = importlib.util.spec_from_file_location("cgsync_test_export", path)
    assert spec
    assert spec.loader
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def read(path: Path, columns: int) -> Iterator[tuple[int, list[str] | None]]:
    """Each record with its line; ``None`` for a line that had to be put aside."""
    lines, at = path.read_bytes().split(b"\n")[:-1], 1
    while at < len(lines):
        row, used = decode(lines[at : at + 40], columns)
        yield at + 1, row
        at += used


def decode(lines: list[bytes], columns: int) -> tuple[list[str] | None, int]:
    try:
        reader = csv.reader((line.decode() + "\n" for line in lines), strict=True)
        row = next(reader)
    except (csv.Error, UnicodeDecodeError):
        return None, 1
    return (row, reader.line_num) if len(row) == columns else (None, 1)


def bad_sort(row: list[str] | None) -> bool:
    if row is None or not row[2] or len(row[4]) > 100:
        return True
    try:
        datetime.fromisoformat(row[1])
    except ValueError:
        return True
    return False


def test_a_plain_reader_finds_the_same_good_and_bad_rows(export: ModuleType, tmp_path: Path) -> None:
    expected = export.write(tmp_path / "x.csv", rows=3_000, seed=5)
    found = dict(read(tmp_path / "x.csv", len(export.HEADER)))
    bad = {line for line, row in found.items() if bad_sort(row)}
    good = {row[0]: tuple(row) for line, row in found.items() if row and line not in bad}
    assert bad == set(expected.bad)
    assert good == expected.good
    assert expected.rows == 3_000


def test_the_same_seed_writes_the_same_bytes(export: ModuleType, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        export.write(tmp_path / name, rows=500, seed=seed)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() != (tmp_path / "c").read_bytes()


def test_the_number_of_bad_rows_of_each_sort_is_as_asked(export: ModuleType, tmp_path: Path) -> None:
    expected = export.write(tmp_path / "x.csv", rows=100, bad={"ragged": 3})
    assert [(each.sort, each.kind) for each in expected.bad.values()] == [("ragged", "unreadable")] * 3
    assert len(expected.good) == 97
