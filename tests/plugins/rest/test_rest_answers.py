"""What an answer means: rules, formats, what is cut, and which parts of it are records."""

from __future__ import annotations

import gzip
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from cgsync.api import SourceError, SourceMisconfigured, SourceUnavailable
from tests.plugins.rest.conftest import Over
from tests.plugins.rest.receiver import Receiver
from tests.plugins.rest.site import Site, in_turn


async def read(site: Site, over: Over, **options: Any) -> Receiver:
    receiver = Receiver()
    await receiver.poll(over(site.url + "/x", **{"records": "$[*]", **options}))
    return receiver


def status(code: int, text: str = "[]", **more: Any) -> web.Response:
    return web.Response(status=code, text=text, content_type="application/json", **more)


# rules


async def test_ok_reads_an_answer_whatever_its_status(site: Site, over: Over) -> None:
    site.answer = in_turn(status(404, '[{"id": 1}]'))
    assert set((await read(site, over, errors=[{"status": 404, "do": "ok"}])).records) == {"1"}


async def test_ignore_means_no_records_and_the_end(site: Site, over: Over) -> None:
    site.answer = in_turn([{"id": 1}], status(404))
    receiver = await read(site, over, errors=[{"status": [404, 410], "do": "ignore"}], paginate={"page": {}})
    assert set(receiver.records) == {"1"}
    assert len(site.requests) == 2


async def test_retry_asks_again(site: Site, over: Over) -> None:
    site.answer = in_turn(status(409), status(409), [{"id": 1}])
    assert set((await read(site, over, errors=[{"status": "4xx", "do": "retry"}])).records) == {"1"}


async def test_throttle_obeys_what_the_api_asks_for(site: Site, over: Over) -> None:
    site.answer = in_turn(status(403, '{"error": "quota"}', headers={"Retry-After": "300"}))
    rules = [{"status": 403, "body_contains": "quota", "do": "throttle"}]
    with pytest.raises(SourceUnavailable) as caught:
        await read(site, over, errors=rules)
    assert caught.value.retry_after == timedelta(minutes=5)


async def test_refresh_auth_takes_a_new_token_once(site: Site, over: Over) -> None:
    def answer(request: web.Request) -> Any:
        if request.path == "/token":
            return {"access_token": f"T{len(site.requests)}", "expires_in": 3600}
        return status(403, '{"error": "expired"}') if request.headers["Authorization"] == "Bearer T1" else [{"id": 1}]

    site.answer = answer
    auth = {"oauth2": {"token_url": site.url + "/token", "client_id": "us", "client_secret": "a secret"}}
    rules = [{"when": "{{ response.status == 403 and response.body.error == 'expired' }}", "do": "refresh_auth"}]
    assert set((await read(site, over, auth=auth, errors=rules)).records) == {"1"}
    assert site.asked == ["/token", "/x", "/token", "/x"]


@pytest.mark.parametrize(("do", "error"), [("fail", SourceUnavailable), ("pause", SourceMisconfigured)])
async def test_a_rule_makes_an_error_of_an_answer(do: str, error: type[SourceError], site: Site, over: Over) -> None:
    site.answer = in_turn({"ok": False, "why": "maintenance"})
    with pytest.raises(error, match="maintenance"):
        await read(site, over, errors=[{"when": "{{ response.body.ok is false }}", "do": do}])


async def test_the_first_rule_that_fits_decides(site: Site, over: Over) -> None:
    site.answer = in_turn(status(404))
    rules = [{"status": 500, "do": "fail"}, {"status": 404, "do": "ignore"}, {"status": 404, "do": "pause"}]
    assert (await read(site, over, errors=rules)).records == {}


async def test_without_a_rule_the_status_says_it(site: Site, over: Over) -> None:
    site.answer = in_turn(status(404, '{"error": "no such list"}'))
    with pytest.raises(SourceMisconfigured, match=r"answered 404.*no such list"):
        await read(site, over)


# bytes


async def test_a_page_for_people_is_an_error_that_shows_its_title(site: Site, over: Over) -> None:
    site.answer = in_turn(web.Response(text="<html><title>Please log in</title>", content_type="text/html"))
    with pytest.raises(SourceUnavailable, match="Please log in"):
        await read(site, over)


async def test_a_cut_answer_is_an_error(site: Site, over: Over) -> None:
    site.answer = in_turn(status(200, '[{"id": 1}, {"id"'))
    with pytest.raises(SourceUnavailable, match="cannot be read"):
        await read(site, over)


async def test_an_empty_answer_holds_no_records(site: Site, over: Over) -> None:
    site.answer = in_turn(web.Response(status=204))
    assert (await read(site, over)).records == {}


@pytest.mark.parametrize(
    ("decode", "body", "records"),
    [
        (
            {"format": "csv", "csv": {"delimiter": ";"}, "encoding": "cp1252"},
            "id;t\n1;ä\n".encode("cp1252"),
            {"id": "1", "t": "ä"},
        ),
        ({"format": "jsonl"}, b'{"id": 1}\n{"id": 2}\n', {"id": 1}),
        ({"format": "json", "compression": "gzip"}, gzip.compress(b'[{"id": 1}]', mtime=0), {"id": 1}),
    ],
)
async def test_an_answer_is_decoded_as_the_options_say(
    decode: Any, body: bytes, records: Any, site: Site, over: Over
) -> None:
    site.answer = in_turn(web.Response(body=body, content_type="application/octet-stream"))
    assert (await read(site, over, decode=decode)).records["1"] == records


async def test_a_row_that_cannot_be_read_is_a_reject(site: Site, over: Over) -> None:
    site.answer = in_turn(web.Response(text="id,t\n1,a\n2,b,c,d\n3,c\n", content_type="text/csv"))
    (step,) = await over(site.url + "/x", records="$[*]").reopened({})
    assert [record.key for record in step.batch.records] == ["1", "3"]
    assert len(step.batch.rejects) == 1


async def test_a_body_beyond_its_cap_is_an_error(site: Site, over: Over) -> None:
    site.answer = in_turn([{"id": 1, "text": "x" * 5000}])
    with pytest.raises(SourceUnavailable, match="larger"):
        await read(site, over, limits={"response": "4kB"})


async def test_a_record_beyond_its_cap_is_a_reject(site: Site, over: Over) -> None:
    site.answer = in_turn([{"id": 1, "text": "x" * 5000}, {"id": 2}])
    (step,) = await over(site.url + "/x", records="$[*]", limits={"record": "4kB"}).reopened({})
    assert [record.key for record in step.batch.records] == ["2"]
    assert "at most 4000 are allowed" in step.batch.rejects[0].reason


# records


@pytest.mark.parametrize(
    ("records", "document"),
    [
        ("$.a.b[*]", {"a": {"b": [{"id": 1}]}}),
        ("$.a.b", {"a": {"b": [{"id": 1}]}}),
        ({"path": "$[*]"}, [{"id": 1}]),
        ({}, [{"id": 1}]),
        ({}, {"id": 1}),
    ],
)
async def test_records_are_where_the_path_says(records: Any, document: Any, site: Site, over: Over) -> None:
    site.answer = in_turn(document)
    assert (await read(site, over, records=records)).records == {"1": {"id": 1}}


async def test_a_list_inside_becomes_records_of_its_own(site: Site, over: Over) -> None:
    site.answer = in_turn([{"no": 1, "order": {"by": "me", "lines": [{"id": "a"}, {"id": "b"}]}}, {"no": 2}])
    records = {"expand": {"path": "order.lines"}}
    assert (await read(site, over, records=records)).records == {"a": {"id": "a"}, "b": {"id": "b"}}
    records["expand"]["keep_parent"] = True
    kept = (await read(site, over, records=records, key=["no", "order.lines.id"])).records
    assert kept["1:b"] == {"no": 1, "order": {"by": "me", "lines": {"id": "b"}}}


async def test_an_odd_path_to_expand_is_refused(over: Over) -> None:
    with pytest.raises(SourceMisconfigured, match="is no field"):
        async with over("https://x.example", records={"expand": {"path": "$..lines"}}).open():
            pass


async def test_where_leaves_records_out_and_counts_them(site: Site, over: Over) -> None:
    site.answer = in_turn([{"id": 1}, {"id": 2, "deleted": True}, {"id": 3, "deleted": False}])
    records = {"where": "{{ record.deleted is not true }}"}
    (step,) = await over(site.url, records=records).reopened({})
    assert [record.key for record in step.batch.records] == ["1", "3"]
    assert step.batch.filtered == {"where": 1}


async def test_text_is_no_answer_to_a_question(site: Site, over: Over) -> None:
    site.answer = in_turn([{"id": 1, "deleted": "no"}, {"id": 2, "deleted": "false"}])
    (step,) = await over(site.url, records={"where": "{{ record.deleted }}"}).reopened({})
    assert "gives the text 'no', not true or false" in step.batch.rejects[0].reason


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("meta.id", "7"),
        (["kind", "meta.id"], "a\\:b:7"),
        ("{{ record.kind }}/{{ record.meta.id }}", "a:b/7"),
        ("dotted.name", "x"),
    ],
)
async def test_a_key_is_a_field_several_or_a_template(key: Any, found: str, site: Site, over: Over) -> None:
    site.answer = in_turn([{"kind": "a:b", "meta": {"id": 7}, "dotted.name": "x"}])
    assert list((await read(site, over, key=key)).records) == [found]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"x": 1}, "there is no 'id', which is the key"),
        ({"id": ""}, "is empty"),
        ({"id": True}, "neither text nor a whole number"),
        ({"id": 1.5}, "neither text nor a whole number"),
    ],
)
async def test_a_record_without_a_usable_key_is_a_reject(record: Any, reason: str, site: Site, over: Over) -> None:
    site.answer = in_turn([record, {"id": 2}])
    (step,) = await over(site.url, records="$[*]").reopened({})
    assert [each.key for each in step.batch.records] == ["2"]
    assert reason in step.batch.rejects[0].reason


async def test_a_reject_is_told_once_where_it_is_read_again(site: Site, over: Over) -> None:
    site.answer = in_turn([{"x": 1, "at": "2024-01-01"}, {"id": 2, "at": "2024-01-01"}])
    driver = over(site.url, records="$[*]", incremental={"field": "at"})
    (step,) = await driver.reopened({})
    assert len(step.batch.rejects) == 1
    assert await driver.reopened(step.behind) == []
