"""From page to page, where they end, and what goes round in circles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from cgsync.api import SourceMisconfigured, SourceUnavailable
from tests.plugins.rest.conftest import Over
from tests.plugins.rest.receiver import Receiver
from tests.plugins.rest.site import Site, in_turn

ROWS = [{"id": number} for number in range(7)]


def numbered(size: int, first: int = 1, **more: Any) -> Callable[[web.Request], Any]:
    """A list by page numbers; ``more`` goes into the answer."""

    def answer(request: web.Request) -> Any:
        start = (int(request.query["page"]) - first) * size
        return {"rows": ROWS[start : start + size], **more}

    return answer


async def read(site: Site, over: Over, paginate: Any, **options: Any) -> set[str]:
    receiver = Receiver()
    await receiver.poll(over(site.url + "/x", paginate=paginate, records="$.rows", **options))
    return set(receiver.records)


ALL = {str(row["id"]) for row in ROWS}


async def test_pages_have_numbers_and_end_with_an_empty_one(site: Site, over: Over) -> None:
    site.answer = numbered(3, first=0)
    paginate = {"page": {"param": "page", "start": 0, "size_param": "per_page", "size": 3}}
    assert await read(site, over, paginate) == ALL
    assert site.asked == [f"/x?page={page}&per_page=3" for page in range(4)]


@pytest.mark.parametrize(
    ("stop", "more", "requests"),
    [
        ({"stop_on_short_page": True}, {}, 3),
        ({"total_path": "$.pages"}, {"pages": 3}, 3),
        ({"max_pages": 2}, {}, 2),
        ({"has_more_path": "$.more"}, {"more": False}, 1),
        ({"has_more_path": "$.nothing"}, {}, 1),
        ({"stop_when": "{{ page == 2 and response.body.last == 'x' }}"}, {"last": "x"}, 2),
        ({"stop_when": "{{ last_record.id >= 5 }}"}, {}, 2),
    ],
)
async def test_other_stops_save_requests(stop: Any, more: Any, requests: int, site: Site, over: Over) -> None:
    site.answer = numbered(3, **more)
    await read(site, over, {"page": {"size": 3, **stop}})
    assert len(site.requests) == requests


async def test_an_empty_page_may_be_one_of_several(site: Site, over: Over) -> None:
    site.answer = in_turn({"rows": ROWS[:3], "pages": 3}, {"rows": [], "pages": 3}, {"rows": ROWS[3:], "pages": 3})
    assert await read(site, over, {"page": {"empty_page": "go_on", "total_path": "$.pages"}}) == ALL


async def test_pages_that_would_never_end_are_refused(over: Over) -> None:
    with pytest.raises(SourceMisconfigured, match="never end"):
        async with over("https://x.example/", paginate={"offset": {"empty_page": "go_on"}}).open():
            pass


async def test_an_offset_counts_what_really_came(site: Site, over: Over) -> None:
    """The server gives two at a time, whatever it is asked for."""

    def answer(request: web.Request) -> Any:
        start = int(request.query["skip"])
        return {"rows": ROWS[start : start + 2], "total": 7}

    site.answer = answer
    paginate = {"offset": {"param": "skip", "limit_param": "take", "limit": 100, "total_path": "$.total"}}
    assert await read(site, over, paginate) == ALL
    assert site.asked == [f"/x?skip={start}&take=100" for start in (0, 2, 4, 6)]


@pytest.mark.parametrize(
    ("to", "seen"),
    [
        ({"param": "after"}, lambda request: request.query.get("after")),
        ({"header_name": "X-After"}, lambda request: request.headers.get("X-After")),
    ],
)
async def test_a_token_goes_where_it_is_wanted(to: Any, seen: Any, site: Site, over: Over) -> None:
    site.answer = in_turn({"rows": ROWS[:4], "end": "a b&c"}, {"rows": ROWS[4:], "end": ""})
    assert await read(site, over, {"cursor": {"path": "$.end", **to}}) == ALL
    assert [seen(request) for request in site.requests] == [None, "a b&c"]


async def test_a_token_may_come_in_a_header(site: Site, over: Over) -> None:
    first = web.json_response({"rows": ROWS[:4]}, headers={"X-Next": "t1"})
    site.answer = in_turn(first, {"rows": ROWS[4:]})
    assert await read(site, over, {"cursor": {"header": "X-Next", "param": "t"}}) == ALL


@pytest.mark.parametrize("link", ["/y?p=2", "y?p=2", "{url}/y?p=2"])
async def test_the_address_of_the_next_page_may_be_relative(link: str, site: Site, over: Over) -> None:
    site.answer = in_turn({"rows": ROWS[:4], "next": link.replace("{url}", site.url)}, {"rows": ROWS[4:]})
    assert await read(site, over, {"next_url": {"path": "$.next"}}, params={"v": 1}) == ALL
    assert site.asked == ["/x?v=1", "/y?p=2"]


@pytest.mark.parametrize(
    "link",
    [
        '</x?p=2>; rel="next"',
        '</x?p=1>; rel="prev first", </x?p=2>;title="a, b"; rel=next',
        "</x?p=2>; rel=\"last next\", </x?p=9>; rel='other'",
    ],
)
async def test_the_header_link_is_read_as_it_is_written(link: str, site: Site, over: Over) -> None:
    site.answer = in_turn(web.json_response({"rows": ROWS[:4]}, headers={"Link": link}), {"rows": ROWS[4:]})
    assert await read(site, over, {"link_header": {"rel": "next"}}) == ALL
    assert site.asked == ["/x", "/x?p=2"]


@pytest.mark.parametrize("where", ["http://127.0.0.2:1/x", "https://127.0.0.1/x", "//evil.example/x"])
async def test_a_next_page_somewhere_else_is_not_followed(where: str, site: Site, over: Over) -> None:
    site.answer = in_turn({"rows": ROWS, "next": where})
    with pytest.raises(SourceUnavailable, match="another origin"):
        await read(site, over, {"next_url": {"path": "$.next"}})
    assert len(site.requests) == 1


async def test_a_keyset_without_its_field_is_an_error(site: Site, over: Over) -> None:
    site.answer = in_turn({"rows": ROWS})
    with pytest.raises(SourceUnavailable, match="'number'"):
        await read(site, over, {"keyset": {"field": "number", "param": "after"}})


@pytest.mark.parametrize(
    ("paginate", "answers", "words"),
    [
        ({"cursor": {"path": "$.end", "param": "t"}}, [{"rows": [1], "end": "A"}, {"rows": [2], "end": "A"}],
         "'A' came twice"),
        ({"next_url": {"path": "$.end"}}, [{"rows": [1], "end": "/x"}], "the same request twice"),
        ({"page": {}}, [{"rows": [1]}], "the same page twice"),
        ({"cursor": {"path": "$.end", "param": "t"}}, [{"rows": [1], "end": "A"}, {"rows": [2], "end": "B"},
                                                       {"rows": [3], "end": "A"}], "'A' came twice"),
    ],
)  # fmt: skip
async def test_what_goes_in_circles_is_an_error_that_names_it(
    paginate: Any, answers: Any, words: str, site: Site, over: Over
) -> None:
    site.answer = in_turn(*answers)
    with pytest.raises(SourceUnavailable, match=words):
        await read(site, over, paginate, key="value")


async def test_a_page_larger_than_a_batch_becomes_several(site: Site, over: Over) -> None:
    site.answer = in_turn({"rows": [{"id": number} for number in range(1201)]})
    async with over(site.url + "/x", records="$.rows").open() as source:
        batches = [await source.fetch({"all": {"runs": 3}}) for _ in range(1)]
    assert len(batches[0].records) == 500
    steps = await over(site.url + "/x", records="$.rows").reopened({})
    assert [len(step.batch.records) for step in steps] == [500, 500, 201]
