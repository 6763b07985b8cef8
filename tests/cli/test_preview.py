"""What a preview shows of a source that speaks HTTP: each request and the head of its answer, without a secret."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Said
from tests.tickets import KEY, Desk, desk_api, ticket, write

Typed = Callable[..., Said]


@pytest.fixture
def desk() -> Iterator[Desk]:
    with desk_api(ticket(1), ticket(2, company="")) as running:
        yield running


def test_requests_come_before_records(type_it: Typed, desk: Desk, tmp_path: Path) -> None:
    said = type_it("preview", "support", "-c", str(write(tmp_path, desk)))
    assert said.status == 3
    first, second, *_ = said.out.splitlines()
    assert first.startswith(f"GET {desk.url}/tickets?page=1&now=")
    assert second.startswith("  ← 200  application/json  ")
    assert "    x-ratelimit-remaining: 41\n" in said.out
    assert said.out.index("GET ") < said.out.index("ticket 1  activity") < said.out.index("ticket 2  invalid")
    assert KEY not in said.out + said.err


def test_the_same_as_json(type_it: Typed, desk: Desk, tmp_path: Path) -> None:
    said = type_it("preview", "support", "-n", "1", "--json", "-c", str(write(tmp_path, desk)))
    found = said.json
    [asked] = found["requests"]
    assert (asked["method"], asked["status"], asked["content_type"]) == ("GET", 200, "application/json")
    assert asked["limits"] == {"x-ratelimit-remaining": "41"}
    assert [each["verdict"] for each in found["records"]] == ["activity"]
    assert (said.status, found["error"]) == (0, "")


def test_what_was_asked_is_shown_also_when_it_fails(type_it: Typed, desk: Desk, tmp_path: Path) -> None:
    file = str(write(tmp_path, desk))
    desk.status = 403
    said = type_it("preview", "support", "-c", file)
    assert said.status == 1
    assert "  ← 403  application/json" in said.out
    assert f"cgsync: {desk.url}/tickets answered 403" in said.err
    assert "  → the credentials are known but not allowed to read this" in said.err


def test_check_online_tells_what_was_seen(type_it: Typed, desk: Desk, tmp_path: Path) -> None:
    file = str(write(tmp_path, desk))
    [_, source] = type_it("check", "--online", "--json", "-c", file).json
    assert source["seen"].startswith("2 records, 0 unreadable; the first has id, company, at, subject; ")
    assert source["seen"].endswith(" bytes")
    assert f"GET {desk.url}/tickets → 200 application/json, " in source["seen"]
    desk.status = 403
    [_, source] = type_it("check", "--online", "--json", "-c", file).json
    assert f"asked: GET {desk.url}/tickets → 403 application/json" in source["seen"]


def test_a_budget_is_named_by_the_source_and_kept(type_it: Typed, desk: Desk, tmp_path: Path) -> None:
    named = "    desk: { rate_limit: { budget: desks } }\n"
    file = str(write(tmp_path, desk, source=named, top="budgets: { desks: 100/s }\n"))
    assert type_it("preview", "support", "-c", file).status == 3
    said = type_it("preview", "support", "-c", str(write(tmp_path, desk, source=named)))
    assert said.status == 78
    assert "sources.support.desk.rate_limit.budget: there is no such budget" in said.err
