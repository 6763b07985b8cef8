"""How much one run may do, how long one fetch may take, and what a try shows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cgsync.api import Batch, Checks, Later, Samples, SourceUnavailable
from cgsync.testing import FakeClock
from tests.plugins.rest.conftest import Over
from tests.plugins.rest.desk import PASSWORD, USER, Fault
from tests.plugins.rest.receiver import Receiver
from tests.plugins.rest.site import Site, in_turn


@pytest.mark.parametrize("limit", [{"max_records": 12}, {"max_requests": 3}])
async def test_a_run_ends_at_its_limit_and_the_next_one_goes_on(limit: Any, desks: Any, over: Over) -> None:
    """Also with page numbers, as long as the source stays open."""
    desk = await desks(paging="page")
    desk.fill(35)
    receiver, read = Receiver(), []
    async with over(desk.url, paginate={"page": {}}, **limit).open() as source:
        for _ in range(3):
            while isinstance(batch := await source.fetch(receiver.cursor), Batch):
                receiver.store(batch)
            read.append(len(receiver.records))
    assert read == [15, 30, 35]


async def test_with_tokens_it_goes_on_after_a_restart_too(desks: Any, over: Over) -> None:
    desk = await desks(paging="cursor")
    desk.fill(35)
    driver = over(desk.url, paginate={"cursor": {"path": "$.token", "param": "cursor"}}, max_requests=3)
    receiver = Receiver()
    for count in (15, 30, 35):
        await receiver.poll(driver)
        assert len(receiver.records) == count


@pytest.mark.parametrize(
    ("paging", "paginate"), [("page", {"page": {}}), ("cursor", {"cursor": {"path": "$.token", "param": "cursor"}})]
)
async def test_a_long_way_without_anything_new_is_made_in_stages(
    paging: str, paginate: Any, desks: Any, over: Over, clock: FakeClock
) -> None:
    """The core gives a fetch five minutes; each request takes a quarter of one."""
    desk = await desks(paging=paging, order="desc")
    desk.fill(30)
    driver = over(desk.url, paginate=paginate, incremental={"field": "updated_at", "lookback": "1d"})
    receiver = Receiver()
    await receiver.poll(driver)
    assert len(receiver.records) == 30
    desk.takes = timedelta(seconds=15)
    answers, spent = [], []
    async with driver.open() as source:
        answer: Any = Later(after=timedelta(0))
        while answer is not None:
            began = clock.monotonic()
            answer = await source.fetch(receiver.cursor)
            spent.append(clock.monotonic() - began)
            answers.append(answer)
            if isinstance(answer, Batch):
                receiver.store(answer)
    assert max(spent) < 60
    assert len(answers) > 3
    assert all(isinstance(each, Later if paging == "page" else Batch) for each in answers[:-1])


async def test_a_quota_that_is_used_up_is_waited_for_without_beginning_again(
    desks: Any, over: Over, clock: FakeClock
) -> None:
    """Page numbers do not outlive the source, so it stays open."""
    desk = await desks(paging="page")
    desk.fill(35)
    desk.faults += [Fault(what="long_throttled", page=page) for page in (3, 5)]
    receiver, waits = Receiver(), []
    async with over(desk.url, paginate={"page": {}}).open() as source:
        while (answer := await source.fetch(receiver.cursor)) is not None:
            if isinstance(answer, Batch):
                receiver.store(answer)
            else:
                waits.append(answer.after)
                await clock.sleep(answer.after.total_seconds())
    assert waits == [timedelta(seconds=120)] * 2
    assert len(receiver.records) == 35
    assert desk.asked == 8 + 2


async def test_one_that_never_ends_is_an_error(desks: Any, over: Over) -> None:
    desk = await desks(paging="page")
    desk.fill(35)
    desk.faults += [Fault(what="long_throttled", page=3), Fault(what="long_throttled", page=3)]
    receiver = Receiver()
    with pytest.raises(SourceUnavailable) as caught:
        await receiver.poll(over(desk.url, paginate={"page": {}}))
    assert caught.value.retry_after == timedelta(seconds=120)


async def test_check_says_what_it_saw(desks: Any, over: Over) -> None:
    desk = await desks(paging="cursor", auth="basic")
    desk.fill(8)
    auth = {"basic": {"username": USER, "password": PASSWORD}}
    async with over(desk.url, auth=auth, paginate={"cursor": {"path": "$.token", "param": "cursor"}}).open() as source:
        assert isinstance(source, Checks)
        words = await source.check()
    assert words.startswith(f"{desk.url} answered 200, 5 records, the first one has id, subject, updated_at, sequence")
    assert "next page: by cursor=" in words
    assert len(desk.requests) == 1


@pytest.mark.parametrize(
    ("answer", "paginate", "words"),
    [
        ([], {}, "0 records, next page: none"),
        (
            [{f"f{n}": n for n in range(11)}],
            {},
            "1 record, the first one has f0, f1, f2, f3, f4, f5, f6, f7 and 3 ",
        ),
        ({"n": "/y?key=s", "rows": [1]}, {"next_url": {"path": "$.n"}}, "next page: by its address (http"),
        ([{"id": 3}], {"offset": {"limit": 1}}, "next page: by offset=1"),
    ],
)
async def test_check_tells_how_it_would_go_on(answer: Any, paginate: Any, words: str, site: Site, over: Over) -> None:
    site.answer = in_turn(answer)
    records = "$.rows" if isinstance(answer, dict) else "$[*]"
    async with over(site.url, records=records, paginate=paginate or {"none": {}}).open() as source:
        assert isinstance(source, Checks)
        said = await source.check()
    assert words in said
    assert "key=s" not in said


async def test_check_of_partitions_looks_at_the_first_one(site: Site, over: Over) -> None:
    site.answer = lambda request: [{"id": "a"}, {"id": "b"}] if request.path == "/p" else [{"id": 1}]
    parent = {"request": {"url": "/p"}, "key": "id"}
    async with over(site.url + "/{{ partition }}", records="$[*]", for_each={"parent": parent}).open() as source:
        assert isinstance(source, Checks)
        assert "1 record, for a" in await source.check()
    assert site.asked == ["/p", "/a"]


async def test_check_of_no_partitions_says_so(site: Site, over: Over) -> None:
    parent = {"request": {"url": "/p"}, "key": "id"}
    async with over(site.url + "/{{ partition }}", for_each={"parent": parent}).open() as source:
        assert isinstance(source, Checks)
        assert isinstance(source, Samples)
        assert "lists nothing" in await source.check()
        assert await source.sample(3) == []


async def test_a_sample_reads_no_further_than_it_must(desks: Any, over: Over) -> None:
    desk = await desks(paging="page", order="desc")
    desk.fill(40)
    async with over(desk.url, paginate={"page": {}}).open() as source:
        assert isinstance(source, Samples)
        assert len(await source.sample(7)) == 7
        assert len(desk.requests) == 2
        batch = await source.fetch({})
    assert isinstance(batch, Batch)
    assert len(batch.records) == 5


async def test_a_sample_shows_what_is_recent_where_the_api_can_be_asked_for_it(desks: Any, over: Over) -> None:
    desk = await desks(paging="page", order="asc")
    desk.fill(20, step=timedelta(days=1))
    incremental = {"field": "updated_at", "param": "since"}
    async with over(desk.url, paginate={"page": {}}, incremental=incremental).open() as source:
        assert isinstance(source, Samples)
        assert [record.data["sequence"] for record in await source.sample(3)] == [20]
        desk.clock.advance(timedelta(days=5))
        assert len(await source.sample(3)) == 3
        desk.clock.advance(timedelta(days=500))
        assert [record.data["sequence"] for record in await source.sample(3)] == [1, 2, 3]
