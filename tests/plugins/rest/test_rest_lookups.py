"""What is looked up for each record: once per thing, kept for a while, several at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from cgsync.api import SourceUnavailable
from cgsync.testing import FakeClock
from tests.plugins.rest.conftest import Over
from tests.plugins.rest.receiver import Receiver
from tests.plugins.rest.site import Site

TICKETS = [{"id": 1, "c": 5}, {"id": 2, "c": 6}, {"id": 3, "c": 5}, {"id": 4, "c": None}, {"id": 5, "c": 404}]


class Crm:
    """Tickets and companies; company 404 does not exist."""

    def __init__(self, tickets: Any = TICKETS) -> None:
        self.tickets = tickets
        self.status = 200

    def __call__(self, request: web.Request) -> Any:
        if request.path == "/tickets":
            return self.tickets
        if self.status != 200:
            return web.Response(status=self.status)
        if request.path == "/companies":
            wanted = [each for text in request.query.getall("ids") for each in text.split(",")]
            return {"companies": [{"id": int(each), "name": f"C{each}"} for each in wanted if each != "404"]}
        number = request.path.rpartition("/")[2]
        return web.Response(status=404) if number == "404" else {"company": {"id": int(number), "name": f"C{number}"}}


def single(**more: Any) -> Any:
    return {
        "company": {
            "url": "/companies/{{ id }}",
            "id": "{{ record.c }}",
            "records": "$.company",
            "cache": {"for": "1h"},
            **more,
        }
    }


async def read(site: Site, over: Over, enrich: Any, **options: Any) -> Receiver:
    receiver = Receiver()
    await receiver.poll(over(site.url + "/tickets", records="$[*]", enrich=enrich, **options))
    return receiver


def names(receiver: Receiver) -> dict[str, Any]:
    return {key: (record["company"] or {}).get("name") for key, record in receiver.records.items()}


async def test_one_request_per_thing_not_per_record(site: Site, over: Over) -> None:
    site.answer = Crm()
    receiver = await read(site, over, single())
    assert site.asked == ["/tickets", "/companies/5", "/companies/6", "/companies/404"]
    assert names(receiver) == {"1": "C5", "2": "C6", "3": "C5", "4": None, "5": None}


@pytest.mark.parametrize(("lists", "query"), [("repeat", "ids=5&ids=6&ids=404"), ("comma", "ids=5,6,404")])
async def test_many_in_one_request_where_the_api_can(lists: str, query: str, site: Site, over: Over) -> None:
    site.answer = Crm()
    batch = {"ids": "ids", "size": 50, "key": "id"}
    enrich = single(url="/companies", batch=batch, records="$.companies[*]", param_lists=lists)
    receiver = await read(site, over, enrich)
    assert [each.replace("%2C", ",") for each in site.asked] == ["/tickets", f"/companies?{query}"]
    assert names(receiver) == {"1": "C5", "2": "C6", "3": "C5", "4": None, "5": None}


async def test_no_more_at_once_than_the_size_says(site: Site, over: Over) -> None:
    site.answer = Crm([{"id": number, "c": number} for number in range(7)])
    enrich = single(url="/companies", batch={"ids": "ids", "size": 3, "key": "id"}, records="$.companies")
    assert len(names(await read(site, over, enrich))) == 7
    assert len(site.requests) == 1 + 3


async def test_what_was_looked_up_is_kept_for_so_long(site: Site, over: Over, clock: FakeClock) -> None:
    site.answer = Crm(TICKETS[:1])
    async with over(site.url + "/tickets", records="$[*]", enrich=single()).open() as source:
        for wait, asked in ((0, 2), (30, 3), (29, 4), (2, 6)):
            clock.advance(timedelta(minutes=wait))
            cursor: Any = {}
            while (batch := await source.fetch(cursor)) is not None:
                cursor = {**cursor, **batch.cursor}
            assert len(site.requests) == asked


async def test_and_only_so_many(site: Site, over: Over) -> None:
    site.answer = Crm([{"id": number, "c": number} for number in range(30)] * 2)
    receiver = await read(site, over, single(cache={"size": 2}))
    assert len(names(receiver)) == 30
    assert len(site.requests) == 61


async def test_a_condition_spares_the_request(site: Site, over: Over) -> None:
    site.answer = Crm()
    receiver = await read(site, over, single(when="{{ record.id != 2 }}"))
    assert "/companies/6" not in site.asked
    assert receiver.records["2"]["company"] is None


async def test_what_must_be_there_and_is_not_rejects_the_record(site: Site, over: Over) -> None:
    site.answer = Crm()
    driver = over(site.url + "/tickets", records="$[*]", enrich=single(missing="fail"))
    (step,) = await driver.reopened({})
    assert [(reject.position.split()[0], reject.reason[:21]) for reject in step.batch.rejects] == [
        ("5", "company was not found")
    ]
    assert len(step.batch.records) == 4


async def test_a_template_that_does_not_fit_a_record_rejects_that_one(site: Site, over: Over) -> None:
    site.answer = Crm([{"id": 1, "c": 5}, {"id": 2}])
    (step,) = await over(site.url + "/tickets", records="$[*]", enrich=single()).reopened({})
    assert [record.key for record in step.batch.records] == ["1"]
    assert "there is no `c`" in step.batch.rejects[0].reason


async def test_a_look_up_that_fails_fails_the_page(site: Site, over: Over) -> None:
    crm = site.answer = Crm()
    crm.status = 500
    with pytest.raises(SourceUnavailable, match="500"):
        await read(site, over, single(method="POST", params={"v": 1}))


async def test_a_look_up_may_use_another_and_needs_no_id(site: Site, over: Over) -> None:
    site.answer = Crm(TICKETS[:2])
    enrich = {
        "company": {"url": "/companies/{{ record.c }}", "records": "$.company"},
        "again": {"url": "/companies/{{ record.company.id }}", "records": "$.company.name"},
    }
    receiver = await read(site, over, enrich)
    assert receiver.records["1"]["again"] == "C5"
