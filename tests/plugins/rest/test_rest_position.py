"""The position: it moves only over what is stored, starts at itself, and nothing hides behind it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cgsync.api import Batch, SourceMisconfigured, SourceUnavailable, Window
from cgsync.testing import FakeClock, MemoryLog
from tests.plugins.rest.conftest import Over
from tests.plugins.rest.desk import START, Fault
from tests.plugins.rest.receiver import Receiver
from tests.plugins.rest.site import Site, in_turn

STAMP = {"field": "updated_at", "param": "since"}
ASC = {**STAMP, "order": "asc"}


def at(cursor: Any) -> Any:
    return cursor.get("all", {}).get("at")


async def test_a_failure_on_page_7_keeps_the_position_where_order_is_unknown(desks: Any, over: Over) -> None:
    desk = await desks(paging="page")
    desk.fill(100)
    driver = over(desk.url, paginate={"page": {}}, incremental=STAMP)
    receiver = Receiver()
    await receiver.poll(driver)
    complete = at(receiver.cursor)
    desk.fill(100)
    desk.faults.append(Fault(what="error_500", page=desk.asked + 7))
    with pytest.raises(SourceUnavailable, match="500"):
        await receiver.poll(driver)
    assert len(receiver.records) == 100
    assert at(receiver.cursor) == complete
    await receiver.poll(driver)
    assert at(receiver.cursor) > complete


async def test_with_order_an_interrupted_run_goes_on_where_it_was(desks: Any, over: Over) -> None:
    desk = await desks(paging="page", order="asc")
    desk.fill(100)
    desk.faults.append(Fault(what="error_500", page=7))
    driver = over(desk.url, paginate={"page": {}}, incremental=ASC)
    receiver = Receiver()
    with pytest.raises(SourceUnavailable):
        await receiver.poll(driver)
    assert "at" not in receiver.cursor["all"]
    desk.requests.clear()
    await receiver.poll(driver)
    assert desk.requests[0].query["since"] == "2024-05-01T00:24:00Z", (
        "after six pages, each from the last of the one before"
    )
    assert len(receiver.records) == 100


async def test_a_false_order_is_noticed_and_then_only_a_complete_window_counts(
    desks: Any, over: Over, log: MemoryLog
) -> None:
    desk = await desks(paging="page")
    desk.fill(50)
    desk.faults.append(Fault(what="error_500", page=7))
    receiver = Receiver()
    with pytest.raises(SourceUnavailable):
        await receiver.poll(over(desk.url, paginate={"page": {}}, incremental=ASC))
    assert "reached" not in receiver.cursor["all"]["run"]
    assert "not sorted" in log.text


async def test_a_false_order_that_is_noticed_after_a_restart_begins_the_window_again(site: Site, over: Over) -> None:
    rows = [{"id": n, "updated_at": f"2024-01-{day:02}"} for n, day in enumerate([5, 6, 20, 19, 1])]
    pages = [rows[0:2], rows[2:4], rows[4:]]
    failed = [True]

    def answer(request: Any) -> Any:
        page = int(request.query["page"])
        if page == 2 and failed:
            failed.clear()
            return {"oops": 1}
        return [
            row
            for row in (pages[page - 1] if page < 4 else [])
            if row["updated_at"] >= request.query.get("since", "")[:10]
        ]

    site.answer = answer
    driver = over(
        site.url, records="$[*]", paginate={"page": {"empty_page": "go_on", "max_pages": 3}}, incremental=ASC, key="id",
        errors=[{"body_contains": "oops", "do": "fail"}],
    )  # fmt: skip
    receiver = Receiver()
    await receiver.poll_until_done(driver)
    assert set(receiver.records) == {"0", "1", "2", "3", "4"}


async def test_a_token_goes_on_after_a_restart_and_a_page_number_never_does(desks: Any, over: Over) -> None:
    for paging, paginate, first in (
        ("cursor", {"cursor": {"path": "$.token", "param": "cursor"}}, "cursor"),
        ("page", {"page": {}}, "page"),
    ):
        desk = await desks(paging=paging)
        desk.fill(30)
        desk.faults.append(Fault(what="error_500", page=4))
        driver, receiver = over(desk.url, paginate=paginate), Receiver()
        with pytest.raises(SourceUnavailable):
            await receiver.poll(driver)
        desk.requests.clear()
        await receiver.poll(driver)
        assert desk.requests[0].query.get(first) not in ((None,) if paging == "cursor" else ("4",))
        assert len(receiver.records) == 30


async def test_a_link_that_only_counts_pages_does_not_go_on(site: Site, over: Over) -> None:
    links = {"next": "/x?page=2"}, {"next": "/x?page=3"}
    site.answer = in_turn({"tickets": [{"id": 1}], **links[0]}, {"tickets": [{"id": 2}], **links[1]}, {"tickets": []})
    async with over(site.url + "/x?page=1", paginate={"next_url": {"path": "$.next"}}).open() as source:
        batch = await source.fetch({})
    assert isinstance(batch, Batch)
    assert batch.cursor["all"]["run"].keys() >= {"batches"}
    assert "next" not in batch.cursor["all"]["run"]


async def test_a_stored_token_that_the_api_has_forgotten_begins_the_window_again(desks: Any, over: Over) -> None:
    """Without any rule: the answer to a token of an earlier run is 410."""
    desk = await desks(paging="cursor")
    desk.fill(30)
    desk.faults.append(Fault(what="error_500", page=4))
    driver, receiver = over(desk.url, paginate={"cursor": {"path": "$.token", "param": "cursor"}}), Receiver()
    with pytest.raises(SourceUnavailable):
        await receiver.poll(driver)
    desk.generation += 1
    await receiver.poll(driver)
    assert len(receiver.records) == 30


async def test_a_token_that_expires_again_and_again_is_an_error(site: Site, over: Over) -> None:
    def answer(request: Any) -> Any:
        return {"gone": 1} if "t" in request.query else {"tickets": [{"id": 1}], "end": "x"}

    site.answer = answer
    rules = [{"body_contains": "gone", "do": "reset"}]
    driver = over(site.url, paginate={"cursor": {"path": "$.end", "param": "t"}}, errors=rules)
    with pytest.raises(SourceUnavailable, match="expired 4 times"):
        await Receiver().poll(driver)


async def test_changed_options_do_not_go_on_with_an_old_token(desks: Any, over: Over) -> None:
    desk = await desks(paging="cursor")
    desk.fill(30)
    desk.faults.append(Fault(what="error_500", page=4))
    paginate, receiver = {"cursor": {"path": "$.token", "param": "cursor"}}, Receiver()
    with pytest.raises(SourceUnavailable):
        await receiver.poll(over(desk.url, paginate=paginate))
    desk.requests.clear()
    await receiver.poll(over(desk.url, paginate=paginate, params={"v": 2}))
    assert "cursor" not in desk.requests[0].query


async def test_a_record_of_2099_does_not_hide_the_rest(desks: Any, over: Over, clock: FakeClock) -> None:
    desk = await desks(paging="page", order="asc")
    desk.fill(10)
    desk.put(3, updated_at="2099-01-01T00:00:00+00:00")
    driver, receiver = over(desk.url, paginate={"page": {}}, incremental=ASC), Receiver()
    await receiver.poll(driver)
    assert at(receiver.cursor) < "2025"
    clock.advance(timedelta(minutes=5))
    desk.put(4, subject="changed")
    clock.advance(timedelta(minutes=5))
    assert await receiver.poll(driver) == 1
    assert receiver.records["4"]["subject"] == "changed"


async def test_equal_times_at_the_border_are_all_read(desks: Any, over: Over, clock: FakeClock) -> None:
    desk = await desks(paging="page", order="asc")
    desk.fill(12, step=timedelta(0))
    driver, receiver = over(desk.url, paginate={"page": {}}, incremental=ASC), Receiver()
    await receiver.poll(driver)
    desk.put(99)
    assert await receiver.poll(driver) == 1
    assert len(receiver.records) == 13


async def test_what_arrives_late_is_found_within_the_lookback(desks: Any, over: Over, clock: FakeClock) -> None:
    desk = await desks(paging="page", order="asc")
    desk.fill(30)
    driver = over(desk.url, paginate={"page": {}}, incremental={**ASC, "lookback": "10m"})
    receiver = Receiver()
    await receiver.poll(driver)
    desk.put(77, updated_at=(clock.now() - timedelta(minutes=8)).isoformat())
    assert await receiver.poll(driver) == 1
    assert await receiver.poll(driver) == 0


async def test_what_is_read_again_makes_no_batch(desks: Any, over: Over) -> None:
    desk = await desks(paging="page", order="asc")
    desk.fill(30)
    driver = over(desk.url, paginate={"page": {}}, incremental={**ASC, "lookback": "1h"})
    receiver = Receiver()
    await receiver.poll(driver)
    asked = desk.asked
    async with driver.open() as source:
        assert await source.fetch(receiver.cursor) is None
    assert desk.asked == asked + 10


async def test_a_change_back_to_an_earlier_version_is_seen(desks: Any, over: Over) -> None:
    """Also when a run was interrupted after the first change was stored: what was stored last counts."""
    desk = await desks(paging="page", order="desc")
    desk.fill(10, step=timedelta(0))
    stamp = START.isoformat()
    driver = over(desk.url, paginate={"page": {}}, incremental={**STAMP, "lookback": "1h"})
    receiver = Receiver()
    await receiver.poll(driver)
    original = dict(desk.tickets[9])
    desk.tickets[9] = {**original, "subject": "B", "updated_at": stamp}
    desk.faults.append(Fault(what="error_500", page=desk.asked + 2))
    with pytest.raises(SourceUnavailable):
        await receiver.poll(driver)
    assert receiver.records["9"]["subject"] == "B"
    desk.tickets[9] = original
    assert await receiver.poll(driver) == 1
    assert receiver.records["9"]["subject"] == "ticket 9"


async def test_the_position_never_goes_backwards(desks: Any, over: Over) -> None:
    desk = await desks(paging="page", order="asc")
    desk.fill(10)
    driver, receiver = over(desk.url, paginate={"page": {}}, incremental={**ASC, "lookback": "1h"}), Receiver()
    await receiver.poll(driver)
    before = at(receiver.cursor)
    for number in list(desk.tickets):
        if desk.tickets[number]["updated_at"] > "2024-05-01T00:05":
            del desk.tickets[number]
    desk.put(50, updated_at="2024-05-01T00:03:00+00:00")
    await receiver.poll(driver)
    assert at(receiver.cursor) == before


async def test_newest_first_stops_at_what_is_known(desks: Any, over: Over, clock: FakeClock) -> None:
    desk = await desks(paging="page", order="desc")
    desk.fill(50)
    incremental = {"field": "updated_at", "order": "desc", "stop_at_seen": True, "lookback": "2m"}
    driver, receiver = over(desk.url, paginate={"page": {}}, incremental=incremental), Receiver()
    await receiver.poll(driver)
    asked = desk.asked
    desk.put(3, subject="new")
    clock.advance(timedelta(minutes=1))
    assert await receiver.poll(driver) == 1
    assert desk.asked == asked + 1


async def test_windows_are_asked_for_one_after_another(desks: Any, over: Over) -> None:
    desk = await desks(paging="none", order="asc")
    desk.fill(100)
    incremental = {**STAMP, "start": "2024-05-01", "end_param": "until", "window": {"step": "40m"}}
    receiver = Receiver()
    await receiver.poll(over(desk.url, incremental=incremental))
    spans = [(each.query["since"][11:16], each.query["until"][11:16]) for each in desk.requests]
    assert spans == [("00:00", "00:40"), ("00:40", "01:20"), ("01:20", "01:40")]
    assert len(receiver.records) == 100


async def test_an_empty_window_moves_the_position_too(desks: Any, over: Over, clock: FakeClock) -> None:
    desk = await desks(paging="none", order="asc")
    clock.advance(timedelta(hours=4, minutes=30))
    incremental = {**STAMP, "start": "2024-05-01", "end_param": "until", "window": {"step": "1h"}}
    receiver = Receiver()
    await receiver.poll(over(desk.url, incremental=incremental))
    assert at(receiver.cursor) == "2024-05-01T04:00:00+00:00"


async def test_a_window_whose_end_nobody_is_told_is_refused(over: Over) -> None:
    with pytest.raises(SourceMisconfigured, match="where a span ends"):
        async with over("https://x.example", incremental={**STAMP, "window": {"step": "1h"}}).open():
            pass


async def test_a_backfill_reads_its_span_and_ends(desks: Any, over: Over) -> None:
    """The API knows no end, so what lies behind it is left out here."""
    desk = await desks(paging="page", order="asc")
    desk.fill(100)
    window = Window(start=START + timedelta(minutes=10), end=START + timedelta(minutes=20))
    driver, receiver = over(desk.url, window=window, paginate={"page": {}}, incremental=ASC), Receiver()
    await receiver.poll(driver)
    assert sorted(row["updated_at"][11:16] for row in receiver.records.values()) == [f"00:{n}" for n in range(10, 20)]
    assert len(desk.requests) == 3
    assert await receiver.poll(driver) == 0
    assert len(desk.requests) == 3


async def test_a_backfill_without_times_is_refused(over: Over) -> None:
    window = Window(start=START, end=START + timedelta(days=1))
    for more in ({}, {"incremental": {"kind": "integer", "field": "n"}}):
        with pytest.raises(SourceMisconfigured, match="backfill"):
            async with over("https://x.example", window=window, **more).open():
                pass


async def test_a_backfill_takes_the_default_kind_for_what_it_is(over: Over) -> None:
    window = Window(start=START, end=START + timedelta(days=1))
    async with over("https://x.example", window=window, incremental=STAMP).open():
        pass


async def test_an_operator_may_set_a_bare_time(desks: Any, over: Over) -> None:
    desk = await desks(paging="page", order="asc")
    desk.fill(10)
    receiver = Receiver(cursor={"all": "2024-05-01 00:06"})
    await receiver.poll(over(desk.url, paginate={"page": {}}, incremental=ASC))
    assert len(receiver.records) == 4


@pytest.mark.parametrize(
    "value", [None, [], {"at": "never"}, {"run": 3}, {"run": {"next": 1}}, {"seen": [[1]]}, "???", 1.5]
)
async def test_a_part_that_cannot_be_read_starts_from_the_beginning(value: Any, desks: Any, over: Over) -> None:
    desk = await desks(paging="page", order="asc")
    desk.fill(3)
    receiver = Receiver(cursor={"all": value})
    await receiver.poll(over(desk.url, paginate={"page": {}}, incremental=ASC))
    assert len(receiver.records) == 3


async def test_asked_twice_it_says_the_same(desks: Any, over: Over) -> None:
    desk = await desks(paging="page")
    desk.fill(20)
    async with over(desk.url, paginate={"page": {}}).open() as source:
        first = await source.fetch({})
        assert await source.fetch({}) == first


async def test_another_run_begins_after_the_end(desks: Any, over: Over) -> None:
    desk = await desks(paging="page")
    desk.fill(8)
    driver, receiver = over(desk.url, paginate={"page": {}}), Receiver()
    async with driver.open() as source:
        for _ in range(3):
            count = 0
            while isinstance(batch := await source.fetch(receiver.cursor), Batch):
                receiver.store(batch)
                count += len(batch.records)
            assert count == 8
            assert batch is None


async def test_what_is_left_out_is_passed_over(desks: Any, over: Over) -> None:
    """Else a filter that few records pass would have all the others read again each time."""
    desk = await desks(paging="page", order="asc")
    desk.fill(30)
    records = {"path": "$.tickets[*]", "where": "{{ record.sequence == 3 }}"}
    driver, receiver = over(desk.url, paginate={"page": {}}, incremental=ASC, records=records), Receiver()
    await receiver.poll(driver)
    assert len(receiver.records) == 1
    assert at(receiver.cursor) == "2024-05-01T00:29:00+00:00"
    desk.requests.clear()
    assert await receiver.poll(driver) == 0
    assert len(desk.requests) == 2


async def test_a_server_whose_clock_is_years_ahead_is_not_believed(site: Site, over: Over) -> None:
    from aiohttp import web

    rows = [{"id": 1, "updated_at": "2024-01-01"}, {"id": 2, "updated_at": "2098-01-01"}]
    site.answer = lambda _: web.json_response(rows, headers={"Date": "Thu, 01 Jan 2099 00:00:00 GMT"})
    receiver = Receiver()
    await receiver.poll(over(site.url, records="$[*]", incremental=STAMP))
    assert at(receiver.cursor) == "2024-01-01T00:00:00+00:00"


async def test_an_order_that_nobody_promised_is_not_relied_on(site: Site, over: Over) -> None:
    """The first pages happen to be sorted; what comes on the third lies before them."""
    pages = {1: [{"id": 1, "at": "2024-01-05"}], 2: [{"id": 2, "at": "2024-01-06"}], 3: [{"id": 3, "at": "2024-01-01"}]}
    broken = [True]

    def answer(request: Any) -> Any:
        page = int(request.query["page"])
        if page == 3 and broken:
            broken.clear()
            return {"oops": 1}
        since = request.query.get("since", "")[:10]
        return [row for row in pages.get(page, []) if row["at"] >= since]

    site.answer = answer
    rules = [{"body_contains": "oops", "do": "fail"}]
    paginate = {"page": {"empty_page": "go_on", "max_pages": 4}}
    incremental = {"field": "at", "param": "since"}
    receiver = Receiver()
    await receiver.poll_until_done(
        over(site.url, records="$[*]", paginate=paginate, incremental=incremental, errors=rules)
    )
    assert set(receiver.records) == {"1", "2", "3"}
