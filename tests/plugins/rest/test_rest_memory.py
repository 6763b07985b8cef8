"""What the cursor remembers of records and pages: little enough to be stored, and nothing that is a secret."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from cgsync_rest.page import Answer, Page
from cgsync_rest.pagers import is_shift, linked
from cgsync_rest.request import Addition
from cgsync_rest.seen import MOST, Seen
from cgsync_rest.turns import LARGEST, Turn
from hypothesis import given
from hypothesis import strategies as st

from cgsync.api import MAX_CURSOR_PART
from tests.plugins.rest.conftest import Over
from tests.plugins.rest.receiver import Receiver


def test_the_highest_stay() -> None:
    seen = Seen(write=int)
    for number in range(MOST + 100):
        seen.put(f"k{number}", b"%08d" % number, number)
    seen.put("none", b"12345678", None)
    seen.forget_below(50)
    assert not seen.holds("k99", b"00000099")
    assert not seen.holds("none", b"12345678")
    assert seen.holds("k100", b"00000100")
    assert seen.holds(f"k{MOST + 99}", b"%08d" % (MOST + 99))


def test_the_last_version_counts() -> None:
    seen = Seen(write=int)
    seen.put("a", b"1", 1)
    seen.put("a", b"2", 1)
    again = Seen.from_json(json.loads(json.dumps(seen.as_json())), read=int, write=int)
    assert not again.holds("a", b"1")
    assert again.holds("a", b"2")


async def test_more_than_can_be_remembered_ends_all_the_same(desks: Any, over: Over) -> None:
    """What is beyond is read again and stored again; the ledger drops it."""
    desk = await desks(paging="page", order="asc", size=400)
    desk.fill(1300, step=timedelta(seconds=1))
    incremental = {"field": "updated_at", "param": "since", "lookback": "1h"}
    driver = over(desk.url, paginate={"page": {}}, incremental=incremental)
    receiver = Receiver()
    await receiver.poll(driver)
    assert len(receiver.records) == 1300
    assert len(msgspec.json.encode(receiver.cursor["all"])) < MAX_CURSOR_PART
    assert await receiver.poll(driver) == 0


@given(
    st.builds(
        Turn,
        number=st.integers(1, 10_000),
        token=st.one_of(st.integers(), st.text(min_size=1)),
        addition=st.builds(
            Addition,
            params=st.dictionaries(st.text(), st.text()),
            fields=st.dictionaries(st.text(), st.integers()),
            headers=st.dictionaries(st.text(), st.text()),
            url=st.one_of(st.none(), st.text(min_size=1)),
        ),
        lasting=st.just(True),
    )
)
def test_a_turn_is_the_same_after_a_restart(turn: Turn) -> None:
    assert Turn.from_json(json.loads(json.dumps(turn.as_json()))) == turn


def test_a_token_that_is_too_large_is_not_remembered() -> None:
    assert Turn(token="t", lasting=True).keeps
    assert not Turn(token="t" * LARGEST, lasting=True).keeps


@pytest.mark.parametrize(
    ("here", "there", "shifts"),
    [
        ("https://x/l", "https://x/l?page=2", True),
        ("https://x/l?page=2&v=1", "https://x/l?page=3&v=1", True),
        ("https://x/l?offset=0&limit=9", "https://x/l?offset=9&limit=9", True),
        ("https://x/l", "https://x/l?cursor=abc", False),
        ("https://x/l?page=1", "https://x/l?page=2&cursor=abc", False),
        ("https://x/l", "https://x/next/abc", False),
    ],
)
def test_a_link_that_only_counts_is_no_token(here: str, there: str, shifts: bool) -> None:
    assert is_shift(here, there) is shifts


def test_a_key_in_the_address_of_a_page_is_not_kept() -> None:
    page = Page(answer=Answer(url="https://x/l?key=secret", status=200, headers={}, document=None), nodes=[])
    turn = linked(Turn(), page, "/l?cursor=abc&key=secret&v=").without("key")
    assert turn.token == turn.addition.url == "https://x/l?cursor=abc&v="
