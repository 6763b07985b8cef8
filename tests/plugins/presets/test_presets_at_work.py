"""Each preset against an API of the vendor's documented shape: what comes out of it, and what it asks for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from cgsync.api import SourceMisconfigured
from tests.plugins.presets.api import Api, serving
from tests.plugins.presets.reading import NEXT_POLL, Reader
from tests.plugins.presets.vendors import NUMBERED, VENDORS, WITH_EVENTS
from tests.plugins.presets.vendors.freshdesk import Freshdesk
from tests.plugins.presets.vendors.hubspot_objects import Tickets
from tests.plugins.presets.vendors.trackers import GitHub
from tests.plugins.presets.wire import Seen


@pytest.fixture(params=VENDORS, ids=lambda vendor: vendor.preset)
async def api(request: pytest.FixtureRequest) -> AsyncIterator[Api]:
    async with serving(request.param()) as api:
        yield api


async def test_two_pages_become_activities_and_what_has_no_company_a_reject(api: Api, tmp_path: Path) -> None:
    found = await Reader(api, tmp_path).read()
    assert found.bodies == api.first
    assert {key: next(iter(reasons)) for key, reasons in found.rejected.items()} == api.rejected
    assert len(api.pages) >= 2
    assert api.served <= 6, "at most the last record of a page comes again, with the next one"
    assert not found.problems


async def test_the_next_poll_asks_only_for_what_changed(api: Api, tmp_path: Path) -> None:
    reader = Reader(api, tmp_path)
    before = await reader.read()
    api.edit()
    api.served = 0
    after = await reader.read(before.cursor, now=NEXT_POLL)
    assert after.bodies == api.then
    assert api.served <= 4, "of five: the last one of before, what changed, and the last one of a page again"
    again = await reader.read(after.cursor, now=NEXT_POLL)
    assert not again.bodies, "and when nothing changed, nothing comes"


@pytest.mark.parametrize("vendor", NUMBERED, ids=lambda vendor: vendor.preset)
async def test_a_record_that_changes_while_the_pages_are_read_hides_none_behind_it(
    vendor: type[Api], tmp_path: Path
) -> None:
    async with serving(edited_between_pages(vendor())) as api:
        found = await Reader(api, tmp_path).read(now=NEXT_POLL)
    assert found.bodies == [*api.first, *api.then]
    assert found.rejected.keys() == api.rejected.keys()


def edited_between_pages(api: Api) -> Api:
    """The first record leaves the first page after that was read, and all others move up by one."""
    answer, shifts = api.answer, iter([api.edit])

    def shifting(seen: Seen) -> web.Response:
        if len(api.pages) == 2:
            next(shifts, lambda: None)()
        return answer(seen)

    api.answer = shifting  # type: ignore[method-assign]
    return api


async def test_a_rate_limit_is_waited_out(api: Api, tmp_path: Path) -> None:
    api.limits_left = 1
    reader = Reader(api, tmp_path)
    found = await reader.read()
    assert found.bodies == api.first
    assert api.limits_left == 0
    assert reader.waited >= api.pause


async def test_a_wrong_credential_is_a_matter_for_a_person(api: Api, tmp_path: Path) -> None:
    with pytest.raises(SourceMisconfigured):
        await Reader(api, tmp_path, **api.wrong).read()


@pytest.mark.parametrize("vendor", WITH_EVENTS, ids=lambda vendor: vendor.preset)
async def test_in_the_mode_events_each_change_is_an_activity_of_its_own(vendor: type[Api], tmp_path: Path) -> None:
    async with serving(vendor()) as api:
        reader = Reader(api, tmp_path, mode="events")
        before = await reader.read()
        api.edit()
        after = await reader.read(before.cursor, now=NEXT_POLL)
    assert len({body["reference"] for body in (*before.bodies, *after.bodies)}) == len(api.first) + len(api.then)
    for body, usual in zip(after.bodies, api.then, strict=True):
        assert body["reference"].startswith(usual["reference"] + "-")
        assert body["happened_at"] == "2026-03-04 09:00:00", "the time of the change, not of the beginning"


ENDS = [
    (Freshdesk, {"link_header": {"max_pages": 1}}),
    (Tickets, {"cursor": {"path": "$.paging.next.after", "body_path": "after", "max_pages": 1}}),
]


@pytest.mark.parametrize(("vendor", "paginate"), ENDS, ids=lambda each: getattr(each, "preset", ""))
async def test_what_lies_behind_the_last_page_that_an_api_gives_comes_with_the_next_poll(
    vendor: type[Api], paginate: Any, tmp_path: Path
) -> None:
    async with serving(vendor()) as api:
        api.small = {**api.small, "paginate": paginate}  # the API would end here; the real ones end later
        reader = Reader(api, tmp_path)
        found, cursor = await reader.read(), None
        bodies = list(found.bodies)
        assert api.served == 2
        while found.cursor != cursor:
            cursor, found = found.cursor, await reader.read(found.cursor)
            bodies += found.bodies
    assert bodies == api.first


async def test_the_account_of_an_issue_may_be_told_from_the_issue(tmp_path: Path) -> None:
    async with serving(GitHub()) as api:
        found = await Reader(api, tmp_path, account="{{ issue.user.login | capitalize }} Ltd").read()
    assert {body["account"] for body in found.bodies} == {"Ann Ltd"}
