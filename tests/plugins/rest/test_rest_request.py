"""What goes over the wire: templates, lists, bodies, and what a page adds."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import pytest

from cgsync.api import SourceMisconfigured, SourceUnavailable
from tests.plugins.rest.conftest import Over
from tests.plugins.rest.receiver import Receiver
from tests.plugins.rest.site import Site, in_turn


async def ask(site: Site, over: Over, path: str = "/x", **options: Any) -> Receiver:
    receiver = Receiver()
    await receiver.poll(over(site.url + path, **{"records": "$[*]", **options}))
    return receiver


@pytest.mark.parametrize(
    ("lists", "query"),
    [("repeat", "s=open&s=new"), ("brackets", "s[]=open&s[]=new"), ("comma", "s=open,new")],
)
async def test_a_list_in_the_query_is_written_as_the_api_wants_it(
    lists: str, query: str, site: Site, over: Over
) -> None:
    await ask(site, over, params={"s": ["open", "new"]}, param_lists=lists)
    assert unquote(site.asked[0]) == f"/x?{query}"


async def test_parameters_are_text_numbers_and_booleans_and_nothing_is_left_out(site: Site, over: Over) -> None:
    params = {"a": "x y", "b": 3, "c": True, "d": None, "e": "{{ cursor }}", "f": "{{ '' }}"}
    await ask(site, over, params=params)
    assert site.asked == ["/x?a=x+y&b=3&c=true"]


async def test_an_address_with_a_query_gets_more_of_it(site: Site, over: Over) -> None:
    await ask(site, over, "/x?v=2", params={"a": "{{ page }}"})
    assert site.asked == ["/x?v=2&a=1"]


async def test_headers_are_fixed_or_templates(site: Site, over: Over) -> None:
    await ask(site, over, headers={"X-Tenant": "acme", "X-Page": "no {{ page }}"}, user_agent="desk reader")
    headers = site.requests[0].headers
    assert (headers["X-Tenant"], headers["X-Page"], headers["User-Agent"]) == ("acme", "no 1", "desk reader")


@pytest.mark.parametrize(
    ("body", "kind", "sent"),
    [
        ({"json": {"page": "{{ page }}", "deep": [{"x": 1}]}}, "application/json", b'{"page":1,"deep":[{"x":1}]}'),
        ({"form": {"page": "{{ page }}", "s": ["a", "b"]}}, "application/x-www-form-urlencoded", b"page=1&s=a&s=b"),
        ({"text": "page {{ page }}"}, None, b"page 1"),
        (
            {"graphql": {"query": "{ t { id } }", "variables": {"n": "{{ page }}"}}},
            "application/json",
            b'{"query":"{ t { id } }","variables":{"n":1}}',
        ),
    ],
)
async def test_a_body_is_filled_in(body: Any, kind: str | None, sent: bytes, site: Site, over: Over) -> None:
    await ask(site, over, method="POST", body=body)
    assert site.requests[0].method == "POST"
    assert site.bodies == [sent]
    if kind is not None:
        assert site.requests[0].headers["Content-Type"] == kind


async def test_a_query_of_graphql_is_never_a_template(site: Site, over: Over) -> None:
    await ask(site, over, method="POST", body={"graphql": {"query": "{ t(x: {a: {b: 1}}) { id }}"}})
    assert json.loads(site.bodies[0])["query"] == "{ t(x: {a: {b: 1}}) { id }}"


async def test_graphql_that_failed_with_status_200_is_an_error_in_its_own_words(site: Site, over: Over) -> None:
    site.answer = in_turn({"errors": [{"message": "no field `idd`"}], "data": None})
    with pytest.raises(SourceUnavailable, match="no field `idd`"):
        await ask(site, over, method="POST", body={"graphql": {"query": "{ t { idd } }"}}, records="$.data[*]")


async def test_a_token_goes_into_the_body_where_it_is_wanted(site: Site, over: Over) -> None:
    site.answer = in_turn({"t": [{"id": 1}], "end": "abc"}, {"t": [{"id": 2}], "end": None})
    graphql = {"query": "q", "variables": {"n": 1}}
    cursor = {"path": "$.end", "body_path": "variables.after"}
    receiver = await ask(
        site, over, method="POST", body={"graphql": graphql}, paginate={"cursor": cursor}, records="$.t"
    )
    assert [json.loads(body)["variables"] for body in site.bodies] == [{"n": 1}, {"n": 1, "after": "abc"}]
    assert set(receiver.records) == {"1", "2"}


async def test_a_read_by_post_is_tried_again_like_one_by_get(site: Site, over: Over) -> None:
    from aiohttp import web

    site.answer = in_turn(web.Response(status=503), [{"id": 1}])
    receiver = await ask(site, over, method="POST", body={"json": {}}, retry={"attempts": 2})
    assert set(receiver.records) == {"1"}


@pytest.mark.parametrize("url", ["https://{{ partition }}.example/x", "tickets", "{{ parent.url }}"])
async def test_the_host_stands_in_the_configuration(url: str, over: Over) -> None:
    with pytest.raises(SourceMisconfigured, match="does not begin with an address"):
        async with over(url).open():
            pass


async def test_a_template_that_is_none_is_named(over: Over) -> None:
    with pytest.raises(SourceMisconfigured, match="page"):
        async with over("https://x.example/", params={"a": "{{ page"}).open():
            pass


async def test_a_path_that_is_none_is_named(over: Over) -> None:
    with pytest.raises(SourceMisconfigured, match="records: path"):
        async with over("https://x.example/", records="$.tickets[").open():
            pass
