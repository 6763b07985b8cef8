"""Durations and sizes mean one thing, and the schema and the program agree which texts are one."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgsync.config.values import rate
from cgsync.plugins.vocabulary import VOCABULARY, duration, size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("5m", 300), ("1h30m", 5400), ("1d", 86400), ("2w", 1209600), ("500ms", 0.5), ("0s", 0),
     ("1d2h3m4s5ms", 93784.005)],
)  # fmt: skip
def test_durations_are_sums_of_their_units(text: str, seconds: float) -> None:
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("text", "count"),
    [("512 B", 512), ("64 kB", 64000), ("64KiB", 65536), ("10MiB", 10485760), ("1.5 GB", 1500000000), ("1 KB", 1000),
     ("2TiB", 2 * 1024**4), ("0B", 0)],
)  # fmt: skip
def test_sizes_tell_1000_from_1024(text: str, count: int) -> None:
    assert size(text) == count


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "-5m", "5m1h", "1.5h", "5M", "٣s", "9999999s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no duration"):
        duration(text)


@pytest.mark.parametrize("text", ["", "5", "10M", "10 iB", "-1 B", "1e3 B", "1,5 MB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no size"):
        size(text)


@given(st.text("0123456789.wdhmskMGTiB ", max_size=12))
def test_the_schema_takes_what_the_program_takes(text: str) -> None:
    for name, read in (("cgsync:duration", duration), ("cgsync:size", size)):
        if re.search(VOCABULARY[name]["pattern"], text):
            read(text)
        elif text == text.strip():
            with pytest.raises(ValueError, match="is no"):
                read(text)


def test_a_rate_has_a_unit() -> None:
    assert (rate("10/s"), rate("90/m"), rate("1800/h")) == (10, 1.5, 0.5)
