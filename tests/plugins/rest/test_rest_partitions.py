"""Partitions: each with its own position, and its own trouble."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from cgsync.api import Batch, SourceMisconfigured, SourceUnavailable
from tests.plugins.rest.conftest import Over
from tests.plugins.rest.receiver import Receiver
from tests.plugins.rest.site import Site

PARENTS = [{"id": "a", "name": "Alpha", "more": 1}, {"id": "b", "name": "Beta", "more": 2}, {"id": "c", "name": "C"}]
STAMP = {"field": "at", "param": "since"}


class Projects:
    """Three projects on two pages, with two issues each; ``broken`` ones answer with that status."""

    def __init__(self) -> None:
        self.broken: dict[str, int] = {}
        self.parents = list(PARENTS)
        self.at = "2024-01-01"

    def __call__(self, request: web.Request) -> Any:
        if request.path == "/projects":
            start = int(request.query["page"]) * 2 - 2
            return {"projects": self.parents[start : start + 2]}
        name = request.path.split("/")[2]
        if name in self.broken:
            return web.Response(status=self.broken[name], text='{"error": "broken"}', content_type="application/json")
        return [{"id": number, "at": self.at} for number in (1, 2)]


def by_parent(site: Site, over: Over, **options: Any) -> Any:
    parent = {
        "request": {"url": "/projects", "params": {"archived": False}, "paginate": {"page": {"start": 1}}},
        "records": "$.projects[*]",
        "key": "id",
        "include": ["name"],
    }
    given = {"records": "$[*]", "key": "{{ partition }}-{{ record.id }}", "for_each": {"parent": parent}, **options}
    return over(site.url + "/projects/{{ partition }}/issues", **given)


async def test_values_are_asked_for_one_after_another(site: Site, over: Over) -> None:
    site.answer = Projects()
    receiver, for_each = Receiver(), {"values": ["a", "b", 7]}
    await receiver.poll(by_parent(site, over, for_each=for_each, incremental=STAMP))
    assert site.asked == [f"/projects/{name}/issues" for name in ("a", "b", "7")]
    assert set(receiver.cursor) == {"a", "b", "7"}
    assert set(receiver.records) == {f"{name}-{number}" for name in ("a", "b", "7") for number in (1, 2)}


async def test_a_parent_request_lists_them_and_lends_its_fields(site: Site, over: Over) -> None:
    site.answer = Projects()
    receiver = Receiver()
    await receiver.poll(by_parent(site, over))
    assert site.asked[0] == "/projects?archived=false&page=1"
    assert len(receiver.records) == 6
    assert receiver.records["b-1"] == {"id": 1, "at": "2024-01-01", "parent": {"name": "Beta"}}


async def test_each_has_a_position_of_its_own(site: Site, over: Over) -> None:
    projects = site.answer = Projects()
    driver, receiver = by_parent(site, over, incremental=STAMP), Receiver()
    await receiver.poll(driver)
    projects.at = "2024-02-02"
    projects.broken = {"b": 404}
    await receiver.poll(driver)
    assert {part: value["at"][:10] for part, value in receiver.cursor.items()} == {
        "a": "2024-02-02", "b": "2024-01-01", "c": "2024-02-02"
    }  # fmt: skip


@pytest.mark.parametrize("status", [404, 500])
async def test_the_trouble_of_one_does_not_stop_the_others(status: int, site: Site, over: Over) -> None:
    projects = site.answer = Projects()
    projects.broken = {"a": status}
    receiver = Receiver()
    steps = await by_parent(site, over).reopened({})
    problems = [(problem.part, problem.reason) for step in steps for problem in step.batch.problems]
    assert [part for part, _ in problems] == ["a"]
    assert f"answered {status}" in problems[0][1]
    for step in steps:
        receiver.store(step.batch)
    assert set(receiver.records) == {"b-1", "b-2", "c-1", "c-2"}

    again = await by_parent(site, over, incremental=STAMP).reopened(receiver.cursor)
    assert [problem for step in again for problem in step.batch.problems] == []
    projects.broken = {}
    healed = await by_parent(site, over).reopened(receiver.cursor)
    assert healed[0].behind["a"] == {"runs": 1}


async def test_three_in_a_row_are_the_trouble_of_the_source(site: Site, over: Over) -> None:
    projects = site.answer = Projects()
    projects.broken = {"a": 500, "b": 500, "c": 500}
    async with by_parent(site, over).open() as source:
        cursor = {}
        for _ in range(2):
            batch = await source.fetch(cursor)
            assert isinstance(batch, Batch)
            cursor = {**cursor, **batch.cursor}
        with pytest.raises(SourceUnavailable, match=r"500|left alone"):
            await source.fetch(cursor)


async def test_when_all_of_them_fail_the_source_fails(site: Site, over: Over) -> None:
    projects = site.answer = Projects()
    projects.parents = PARENTS[:1]
    projects.broken = {"a": 404}
    with pytest.raises(SourceMisconfigured, match="404"):
        await Receiver().poll(by_parent(site, over))


async def test_one_that_is_gone_is_forgotten(site: Site, over: Over) -> None:
    projects = site.answer = Projects()
    driver, receiver = by_parent(site, over, incremental=STAMP), Receiver()
    await receiver.poll(driver)
    projects.parents = PARENTS[:2]
    await receiver.poll(driver)
    assert set(receiver.cursor) == {"a", "b"}
    projects.parents = []
    await receiver.poll(driver)
    assert set(receiver.cursor) == {"a", "b"}  # none at all looks like a mistake


async def test_a_parent_may_be_asked_by_post_and_named_by_a_template(site: Site, over: Over) -> None:
    def answer(request: web.Request) -> Any:
        return PARENTS if request.path == "/search" else [{"id": 1}]

    site.answer = answer
    request = {
        "url": "/search",
        "method": "POST",
        "body": {"json": {"all": True}},
        "params": {"a": [1, 2]},
        "param_lists": "comma",
    }
    parent = {"request": request, "key": "{{ record.name }}/{{ record.id }}"}
    receiver = Receiver()
    await receiver.poll(
        over(
            site.url + "/{{ parent.id }}",
            records="$[*]",
            key="{{ parent.name }} {{ record.id }}",
            for_each={"parent": parent},
        )
    )
    assert site.bodies[0] == b'{"all":true}'
    assert [each.replace("%2C", ",") for each in site.asked] == ["/search?a=1,2", "/a", "/b", "/c"]
    assert set(receiver.cursor) == {"Alpha/a", "Beta/b", "C/c"}


async def test_a_parent_without_its_key_is_an_error(site: Site, over: Over) -> None:
    projects = site.answer = Projects()
    projects.parents = [{"name": "nobody"}]
    with pytest.raises(SourceUnavailable, match="for_each: parent: there is no 'id'"):
        await Receiver().poll(by_parent(site, over))
