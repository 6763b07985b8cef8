"""Every way of logging in, of paging, of keeping track, and every fault: all is read, and each record once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from cgsync.testing import FakeClock
from tests.plugins.rest.conftest import Over
from tests.plugins.rest.desk import PASSWORD, TOKEN, USER, Desk, Fault
from tests.plugins.rest.receiver import Receiver

COUNT = 50
PAGE = 7
PAGES_BEFORE = {"windows": 4}
"""A window holds six pages."""

AUTHS: Mapping[str, Callable[[str], Mapping[str, Any]]] = {
    "none": lambda url: {},
    "basic": lambda url: {"auth": {"basic": {"username": USER, "password": PASSWORD}}},
    "bearer": lambda url: {"auth": {"bearer": {"token": TOKEN}}},
    "header": lambda url: {"auth": {"api_key": {"name": "X-Key", "value": TOKEN}}},
    "query": lambda url: {"auth": {"api_key": {"name": "key", "value": TOKEN, "in": "query"}}},
    "oauth2": lambda url: {
        "auth": {
            "oauth2": {"token_url": url.replace("/tickets", "/token"), "client_id": "us", "client_secret": PASSWORD}
        }
    },
    "session": lambda url: {
        "auth": {
            "session": {
                "request": {"url": url.replace("/tickets", "/login"), "json": {"user": USER, "password": PASSWORD}},
                "token_path": "access_token",
                "inject": {"name": "X-Session", "format": "{token}"},
            }
        }
    },
}
PAGINGS: Mapping[str, Mapping[str, Any]] = {
    "none": {"none": {}},
    "page": {"page": {}},
    "offset": {"offset": {"limit": 5, "total_path": "$.total"}},
    "cursor": {"cursor": {"path": "$.token", "param": "cursor"}},
    "next_url": {"next_url": {"path": "$.next"}},
    "link_header": {"link_header": {}},
    "keyset": {"keyset": {"field": "id", "param": "after_id"}},
}
STAMP = {"field": "updated_at", "param": "since", "lookback": "10m"}
INCREMENTALS: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "everything": ({}, {}),
    "asc": ({"order": "asc"}, {**STAMP, "order": "asc"}),
    "desc": ({"order": "desc"}, {**STAMP, "order": "desc", "stop_at_seen": True}),
    "unordered": ({}, STAMP),
    "falsely asc": ({}, {**STAMP, "order": "asc"}),
    "windows": ({"order": "asc"}, {**STAMP, "end_param": "until", "start": "2024-05-01", "window": {"step": "30m"}}),
    "client": ({}, {"field": "updated_at", "filter": "client"}),
    "integer": ({"kind": "integer", "order": "asc"}, {"kind": "integer", "field": "sequence", "param": "since"}),
    "opaque": ({"kind": "opaque", "order": "asc"}, {"kind": "opaque", "path": "$.after", "param": "since"}),
}
FAULTS = (
    "",
    "error_500",
    "one_500",
    "expired",
    "throttled",
    "long_throttled",
    "html",
    "cut_json",
    "cut_connection",
    "repeated",
    "led_away",
    "of 2099",
)


ALL = os.environ.get("CGSYNC_FAULTS") == "full"


def combinations() -> Iterator[tuple[str, str, str, str]]:
    """Of paging, keeping track and fault each pair (all triples in the long campaign), each with another login."""
    auths = list(AUTHS)
    for p, i, f in product(range(len(PAGINGS)), range(len(INCREMENTALS)), range(len(FAULTS))):
        if ALL or (p + 2 * i + 3 * f) % 5 == 0:
            yield auths[(p + i + f) % len(auths)], list(PAGINGS)[p], list(INCREMENTALS)[i], FAULTS[f]
    for auth, paging in product(AUTHS, PAGINGS):
        yield auth, paging, "asc", "error_500"


def expected(desk: Desk, incremental: str) -> dict[str, Any]:
    """All tickets; a window ends now, so that of 2099 is in none before that year."""
    rows = desk.tickets.values()
    return {str(row["id"]): row for row in rows if incremental != "windows" or row["updated_at"] < "2099"}


async def build(desks: Any, over: Over, auth: str, paging: str, incremental: str) -> tuple[Desk, Any]:
    like, options = INCREMENTALS[incremental]
    like = {"order": "none", **like} | ({"order": "none"} if paging == "keyset" else {})
    desk = await desks(auth=auth, paging=paging, **like)
    if paging == "keyset" and options.get("order"):
        options = {**options, "order": "none", "stop_at_seen": False}
    given = {"incremental": options} if options else {}
    reset = [{"status": 410, "do": "reset"}]
    return desk, over(desk.url, paginate=PAGINGS[paging], errors=reset, **given, **AUTHS[auth](desk.url))


@pytest.mark.parametrize(("auth", "paging", "incremental", "fault"), list(combinations()))
async def test_all_is_read_and_each_record_changes_once(
    auth: str, paging: str, incremental: str, fault: str, desks: Any, over: Over, clock: FakeClock
) -> None:
    desk, driver = await build(desks, over, auth, paging, incremental)
    desk.fill(COUNT)
    if fault == "of 2099":
        desk.put(50, updated_at="2099-01-01T00:00:00+00:00")
    elif fault and not (fault == "repeated" and paging == "none"):
        desk.faults.append(Fault(what=fault, page=1 if paging == "none" else PAGES_BEFORE.get(incremental, PAGE)))
    receiver = Receiver()
    await receiver.poll_until_done(driver)
    assert desk.faults == []
    assert receiver.records == expected(desk, incremental)
    assert receiver.changes == len(receiver.records)

    assert await receiver.poll(driver) == 0
    clock.advance(timedelta(minutes=1))
    for number in (3, 4, COUNT + 9):
        desk.put(number, subject="something else")
    clock.advance(timedelta(minutes=1))
    assert await receiver.poll(driver) == 3
    assert receiver.records == expected(desk, incremental)


def test_every_pair_is_tried() -> None:
    tried = set(combinations())
    columns = (AUTHS, PAGINGS, INCREMENTALS, FAULTS)
    for one, other in ((0, 1), (1, 2), (1, 3), (2, 3)):
        assert {(each[one], each[other]) for each in tried} == set(product(columns[one], columns[other]))
