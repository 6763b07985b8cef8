"""Tables that templates ask, in files that people edit while the daemon runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cgsync.errors import SourceMisconfigured
from cgsync.lookups import LookupTable


class Watch:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "accounts.csv"
    file.write_text("domain,account\nacme.example,Acme Inc.\n")
    return file


@pytest.fixture
def table(path: Path, watch: Watch) -> LookupTable:
    return LookupTable(path, "domain", "account", monotonic=watch)


def replace(path: Path, content: str) -> None:
    """As editors do: a new file takes the place of the old one."""
    fresh = path.with_suffix(".new")
    fresh.write_text(content)
    fresh.replace(path)


def test_the_value_stands_beside_the_key(table: LookupTable) -> None:
    assert table.get("acme.example") == "Acme Inc."
    assert table.get("ACME.example") is None
    assert table.get("other.example") is None


def test_a_change_is_seen_after_a_second_and_not_before(table: LookupTable, path: Path, watch: Watch) -> None:
    assert table.get("acme.example") == "Acme Inc."
    replace(path, "domain,account\nacme.example,Acme Ltd.\n")
    watch.now = 0.9
    assert table.get("acme.example") == "Acme Inc."
    watch.now = 1.0
    assert table.get("acme.example") == "Acme Ltd."


def test_a_change_within_one_tick_of_the_file_system_is_seen_by_its_inode(
    table: LookupTable, path: Path, watch: Watch
) -> None:
    table.get("acme.example")
    before = path.stat()
    replace(path, "domain,account\nacme.example,Acme Ltd,\n".replace(",\n", ".\n"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    watch.now = 2
    assert table.get("acme.example") == "Acme Ltd."


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "has no column `domain`; its columns are none"),
        ("domain;account\na;b\n", "has no column `domain`; its columns are domain;account"),
        ("domain,account\na\n", "line 2 has no `domain` or no `account`"),
        ("domain,account\na,b\na,c\n", "`a` stands there twice, with two values"),
        ('domain,account\n"a,b\n', "unexpected end of data"),
    ],
)
def test_a_file_that_breaks_keeps_its_last_good_version(
    table: LookupTable, path: Path, watch: Watch, content: str, problem: str
) -> None:
    assert table.get("acme.example") == "Acme Inc."
    replace(path, content)
    watch.now = 2
    assert table.get("acme.example") == "Acme Inc."
    assert table.problem is not None
    assert problem in table.problem
    replace(path, "domain,account\nacme.example,Mended\n")
    watch.now = 4
    assert table.get("acme.example") == "Mended"
    assert not table.problem


def test_a_file_that_goes_away_and_returns(table: LookupTable, path: Path, watch: Watch) -> None:
    table.get("acme.example")
    away = path.rename(path.with_suffix(".away"))
    watch.now = 2
    assert table.get("acme.example") == "Acme Inc."
    assert table.problem == "cannot be read: No such file or directory"
    away.rename(path)
    watch.now = 4
    assert table.get("acme.example") == "Acme Inc."
    assert not table.problem


def test_without_any_good_version_the_set_up_is_at_fault(tmp_path: Path) -> None:
    """Otherwise every record would be rejected for a fault that is not its own."""
    with pytest.raises(SourceMisconfigured, match="No such file"):
        LookupTable(tmp_path / "none.csv", "a", "b").get("x")


@pytest.mark.parametrize(
    ("content", "key", "value"),
    [
        ('{"a": "b", "n": 5}', None, None),
        ('{"a": {"account": "b"}}', None, "account"),
        ('[{"domain": "a", "account": "b", "more": []}]', "domain", "account"),
    ],
)
def test_json_is_an_object_or_a_list_of_objects(
    tmp_path: Path, content: str, key: str | None, value: str | None
) -> None:
    path = tmp_path / "t.json"
    path.write_text(content)
    assert LookupTable(path, key, value).get("a") == "b"


@pytest.mark.parametrize(
    "content", ["[", "5", '["a"]', '{"a": ["b"]}', '{"a": true}', '{"a": "b", "a": "c"}', '[{"x": "y"}]', "[" * 100_000]
)
def test_json_of_another_shape_is_a_problem(tmp_path: Path, content: str) -> None:
    path = tmp_path / "t.json"
    path.write_text(content)
    with pytest.raises(SourceMisconfigured):
        LookupTable(path, "domain", "account").get("a")


def test_a_csv_file_needs_the_names_of_its_columns(path: Path) -> None:
    with pytest.raises(SourceMisconfigured, match="key: and value: must name two columns"):
        LookupTable(path).get("a")


def test_a_byte_order_mark_is_no_part_of_the_first_column(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbfdomain,account\r\na,b\r\n")
    assert LookupTable(path, "domain", "account").get("a") == "b"


def test_other_encodings_are_refused(path: Path) -> None:
    path.write_bytes("domain,account\na,Müller\n".encode("latin-1"))
    with pytest.raises(SourceMisconfigured, match="utf-8"):
        LookupTable(path, "domain", "account").get("a")


@given(st.binary(max_size=200), st.sampled_from(["t.csv", "t.json"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_a_table_or_a_problem(tmp_path: Path, content: bytes, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    table = LookupTable(path, "a", "b")
    try:
        table.get("x")
    except SourceMisconfigured:
        assert table.problem
    else:
        assert table.problem is None
