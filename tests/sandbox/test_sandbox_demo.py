"""The demo's exports are real files of their formats, its help desk answers, and its configuration reads both."""

from __future__ import annotations

import csv
import json
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from cgsync.sandbox.demo import ACTIVITIES, EXPORTS, FILTERED, KEY, REJECTS, Desk, write_demo

BEARER = {"Authorization": f"Bearer {KEY}"}


def demo(folder: Path, desk_url: str = "http://127.0.0.1:1/api/tickets") -> Path:
    sandbox = "http://127.0.0.1:1/"
    return write_demo(folder, sandbox_url=f"{sandbox}activities", token_url=f"{sandbox}oauth2/token", desk_url=desk_url)


def exported(folder: Path) -> list[Any]:
    drop = folder / "drop"
    with (drop / "orders.csv").open(encoding="utf-8", newline="") as file:
        orders = list(csv.DictReader(file, strict=True))
    return [*orders, *json.loads((drop / "calls.json").read_text("utf-8"))]


async def tickets(session: aiohttp.ClientSession, url: str, **query: str) -> list[Any]:
    """All pages of the help desk's list."""
    found: list[Any] = []
    pages, page = 1, 1
    while page <= pages:
        async with session.get(url, params=query | {"page": str(page)}) as answer:
            body = await answer.json()
        found += body["tickets"]
        pages, page = body["pages"], page + 1
    return found


async def test_there_are_as_many_records_as_promised_and_each_has_its_own_key(tmp_path: Path) -> None:
    demo(tmp_path)
    async with Desk() as desk, aiohttp.ClientSession(headers=BEARER) as session:
        records = [*exported(tmp_path), *await tickets(session, desk.url)]
    assert len(records) == ACTIVITIES + REJECTS + FILTERED
    assert sum(record.get("outcome") == "voicemail" for record in records) == FILTERED
    assert len({str(each.get("order_no") or each.get("id") or each.get("call_id")) for each in records}) == len(records)


async def test_the_help_desk_shows_what_an_agent_edited_since() -> None:
    began = datetime.now(UTC)
    async with Desk() as desk, aiohttp.ClientSession(headers=BEARER) as session:
        assert not await tickets(session, desk.url, updated_since=began.isoformat())
        async with session.patch(f"{desk.url}/4630", json={"status": 3, "id": 1}) as answer:
            assert answer.status == 200
        (edited,) = await tickets(session, desk.url, updated_since=began.isoformat())
    assert (edited["id"], edited["status"]) == (4630, 3)


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("GET", "", {"headers": {"Authorization": "Bearer wrong"}}, 401),
        ("GET", "?updated_since=yesterday", {}, 400),
        ("PATCH", "/1", {"json": {}}, 404),
        ("PATCH", "/4630", {"data": "status=3"}, 400),
        ("PATCH", "/4630", {"data": "3"}, 400),
    ],
)
async def test_the_help_desk_says_what_is_wrong(method: str, path: str, options: Any, status: int) -> None:
    async with (
        Desk() as desk,
        aiohttp.ClientSession(headers=BEARER) as session,
        session.request(method, desk.url + path, **options) as answer,
    ):
        assert answer.status == status
        assert (await answer.json())["message"]


def test_a_demo_is_written_anew_over_an_earlier_one(tmp_path: Path) -> None:
    demo(tmp_path)
    before = exported(tmp_path)
    (tmp_path / "drop" / "orders.csv").write_text("gone")
    path = demo(tmp_path)
    assert exported(tmp_path) == before
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_mark_is_left_in_the_configuration(tmp_path: Path) -> None:
    text = demo(tmp_path / 'a ${folder}: "odd"').read_text("utf-8")
    assert not any(mark in text for mark in ("@url@", "@token_url@", "@desk_url@", "@drop@", "@state_dir@"))
    assert "$${folder}" in text


def test_every_export_is_read_by_a_source(tmp_path: Path) -> None:
    text = demo(tmp_path).read_text("utf-8")
    assert all(name.replace(".", "*.") in text for name in EXPORTS)
