"""Times as they are written and wanted, missing ones, numbers, and tokens of the API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from cgsync_rest.timestamps import Timestamps, zone_of
from hypothesis import given
from hypothesis import strategies as st

from cgsync.api import SourceMisconfigured
from tests.plugins.rest.conftest import Over
from tests.plugins.rest.receiver import Receiver
from tests.plugins.rest.site import Site, in_turn

MOMENT = datetime(2024, 5, 1, 10, 30, tzinfo=UTC)


async def asked(site: Site, over: Over, **incremental: Any) -> str:
    """What the first request says."""
    await Receiver().poll(
        over(site.url + "/x", records="$[*]", incremental={"field": "at", "param": "since", **incremental})
    )
    return unquote(site.asked[0])


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("iso", "2024-05-01T10:30:00Z"),
        ("epoch", "1714559400"),
        ("epoch_ms", "1714559400000"),
        ("%d.%m.%Y %H:%M", "01.05.2024+12:30"),
    ],
)
async def test_a_request_writes_times_as_the_api_wants_them(written: str, text: str, site: Site, over: Over) -> None:
    """A pattern is filled in in the zone of the API."""
    said = await asked(site, over, start="2024-05-01T10:30:00Z", request_format=written, timezone="Europe/Berlin")
    assert said == f"/x?since={text}"


@pytest.mark.parametrize(
    ("formats", "value"),
    [
        (["iso"], "2024-05-01T10:30:00Z"),
        (["iso"], "2024-05-01 12:30"),
        (["epoch"], 1714559400),
        (["epoch"], "1714559400.0"),
        (["epoch"], 1714559400000),
        (["epoch_ms"], 1714559400000),
        (["rfc5322"], "Wed, 01 May 2024 10:30:00 GMT"),
        (["iso", "%d.%m.%Y %H:%M"], "01.05.2024 12:30"),
    ],
)
def test_times_are_read_in_any_of_the_formats(formats: list[str], value: Any) -> None:
    assert Timestamps(formats, "iso", zone_of("Europe/Berlin")).read(value) == MOMENT


@pytest.mark.parametrize("value", [None, "", "soon", True, [], "99999999999999999999", "nan", {"a": 1}])
def test_what_is_no_time_says_so(value: Any) -> None:
    with pytest.raises(ValueError, match="is no time as iso, epoch, epoch_ms, rfc5322, %d"):
        Timestamps(["iso", "epoch", "epoch_ms", "rfc5322", "%d"], "iso", zone_of("UTC")).read(value)


@given(st.integers(0, 4_000_000_000_000_000), st.sampled_from(["iso", "epoch", "epoch_ms"]))
def test_a_request_never_names_a_later_time(microseconds: int, written: str) -> None:
    stamps = Timestamps([written], written, zone_of("UTC"))
    exact = datetime(1990, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    assert timedelta(0) <= exact - stamps.read(stamps.write(exact)) < timedelta(seconds=1)


async def test_the_very_first_run_starts_some_time_ago(site: Site, over: Over) -> None:
    assert await asked(site, over, start="now-30d") == "/x?since=2024-04-01T00:00:00Z"


async def test_a_long_absence_skips_nothing(site: Site, over: Over) -> None:
    """The start is that of the very first run alone."""
    receiver = Receiver(cursor={"all": {"at": "2024-01-01T00:00:00+00:00"}})
    incremental = {"field": "at", "param": "since", "start": "now-30d"}
    await receiver.poll(over(site.url + "/x", records="$[*]", incremental=incremental))
    assert unquote(site.asked[0]) == "/x?since=2024-01-01T00:00:00Z"


async def test_without_a_start_the_first_request_says_nothing(site: Site, over: Over) -> None:
    assert await asked(site, over) == "/x"


@pytest.mark.parametrize(
    ("incremental", "words"),
    [
        ({"timezone": "Mars/Base"}, "there is no 'Mars/Base'"),
        ({"start": "yesterday"}, "start: 'yesterday'"),
        ({"kind": "integer", "start": "now-3d"}, "start: 'now-3d'"),
        ({"lookback": 5}, "lookback: 5 does not fit"),
        ({"kind": "integer", "lookback": "5m"}, "lookback: 0:05:00 does not fit"),
        ({"kind": "integer", "window": {"step": "1d"}}, "needs `kind: datetime`"),
        ({"stop_at_seen": True}, "needs `order: desc`"),
    ],
)
async def test_what_does_not_go_together_is_said(incremental: Any, words: str, over: Over) -> None:
    with pytest.raises(SourceMisconfigured, match=words):
        async with over("https://x.example", incremental={"field": "at", **incremental}).open():
            pass


async def test_numbers_look_back_by_a_count(site: Site, over: Over) -> None:
    site.answer = in_turn([{"id": 1, "n": 40}, {"id": 2, "n": "41"}])
    driver = over(
        site.url + "/x", records="$[*]", incremental={"kind": "integer", "field": "n", "param": "from", "lookback": 10}
    )
    receiver = Receiver()
    await receiver.poll(driver)
    await receiver.poll(driver)
    assert site.asked == ["/x", "/x?from=31"]
    assert receiver.revisions == {"1": 40, "2": 41}


async def test_the_position_is_also_in_templates(site: Site, over: Over) -> None:
    incremental: dict[str, Any] = {
        "field": "meta.at",
        "start": "2024-03-01",
        "end_param": "end",
        "window": {"step": "300d"},
    }
    params = {"q": "{{ cursor }}/{{ window.start }}/{{ window.end }}/{{ now[:10] }}"}
    await Receiver().poll(
        over(site.url + "/x", records="$[*]", params=params, incremental={**incremental, "request_format": "%m"})
    )
    assert unquote(site.asked[0]) == "/x?q=03/03/05/2024-05-01&end=05"


@pytest.mark.parametrize(("choice", "keys"), [("skip", {"1"}), ("include", {"1", "2", "3"})])
async def test_a_record_without_its_time_is_left_out_or_taken(
    choice: str, keys: set[str], site: Site, over: Over
) -> None:
    site.answer = in_turn([{"id": 1, "at": "2024-01-01"}, {"id": 2}, {"id": 3, "at": "soon"}])
    driver = over(site.url, records="$[*]", incremental={"field": "at", "on_missing": choice})
    steps = await driver.reopened({})
    assert {record.key for step in steps for record in step.batch.records} == keys
    assert [dict(step.batch.filtered) for step in steps] == [{"without at": 2} if choice == "skip" else {}]
    assert await driver.reopened(steps[-1].behind) == []


async def test_or_it_is_an_error_that_names_it(site: Site, over: Over) -> None:
    site.answer = in_turn([{"id": 77}])
    with pytest.raises(SourceMisconfigured, match=r"77 of .*: at: 'None' is no time"):
        await Receiver().poll(over(site.url, records="$[*]", incremental={"field": "at"}))


async def test_a_token_of_the_api_is_where_the_next_run_starts(site: Site, over: Over) -> None:
    site.answer = in_turn(
        {"rows": [{"id": 1}], "next": "/x?p=2"}, {"rows": [{"id": 2}], "after": "D1"}, {"rows": [], "after": "D1"}
    )
    driver = over(
        site.url + "/x", records="$.rows", paginate={"next_url": {"path": "$.next"}},
        incremental={"kind": "opaque", "path": "$.after", "param": "delta", "start": "latest"},
    )  # fmt: skip
    receiver = Receiver()
    await receiver.poll(driver)
    await receiver.poll(driver)
    assert site.asked == ["/x?delta=latest", "/x?p=2", "/x?delta=D1"]
    assert await receiver.poll(driver) == 0


async def test_a_token_that_the_api_refuses_is_forgotten(site: Site, over: Over) -> None:
    from aiohttp import web

    site.answer = in_turn(web.Response(status=410), {"rows": [{"id": 1}], "after": "D9"})
    driver = over(
        site.url + "/x", records="$.rows", errors=[{"status": 410, "do": "reset"}],
        incremental={"kind": "opaque", "path": "$.after", "param": "delta"},
    )  # fmt: skip
    receiver = Receiver(cursor={"all": {"at": "D1"}})
    await receiver.poll(driver)
    assert site.asked == ["/x?delta=D1", "/x"]
    assert receiver.cursor["all"]["at"] == "D9"
