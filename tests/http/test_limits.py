"""Waiting, in all the ways servers write it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgsync.http import Quota, quota, retry_after

NOW = datetime(2026, 3, 4, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"x-ratelimit-remaining": "5"}, None),
        ({"x-ratelimit-remaining": "5", "x-ratelimit-reset": "30"}, Quota(remaining=5, reset=timedelta(seconds=30))),
        (
            {"x-ratelimit-remaining": "5", "x-ratelimit-reset": "1772618460", "x-ratelimit-limit": "100"},
            Quota(remaining=5, reset=timedelta(seconds=60), limit=100),
        ),
        (
            {"ratelimit-remaining": "0", "ratelimit-reset": "9", "ratelimit-limit": "100, 100;w=60"},
            Quota(remaining=0, reset=timedelta(seconds=9), limit=100),
        ),
        ({"x-ratelimit-remaining": "many", "x-ratelimit-reset": "30"}, None),
        (
            {"ratelimit": '"default";r=50;t=30', "ratelimit-policy": '"default";q=100;w=60'},
            Quota(remaining=50, reset=timedelta(seconds=30), limit=100),
        ),
        (
            {"ratelimit": "limit=100, remaining=50, reset=30"},
            Quota(remaining=50, reset=timedelta(seconds=30), limit=100),
        ),
        ({"ratelimit": '"default";r=50'}, None),
    ],
)
def test_limit_headers(headers: dict[str, str], expected: Quota | None) -> None:
    assert quota(headers, now=NOW) == expected


@given(st.text(max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    after = retry_after({"retry-after": text, "date": text}, now=NOW)
    assert after is None or timedelta(0) <= after <= timedelta(hours=1)
    for headers in ({"x-ratelimit-remaining": text, "x-ratelimit-reset": text}, {"ratelimit": f"r=1;t={text}"}):
        found = quota(headers, now=NOW)
        assert found is None or timedelta(0) <= found.reset <= timedelta(hours=1)
