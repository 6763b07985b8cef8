"""What tests and the page can ask."""

from __future__ import annotations

import json
from typing import Any

import pytest


@pytest.fixture
async def filled(client: Any, activity: dict[str, Any]) -> Any:
    for n, (account, kind, day) in enumerate(
        [("Acme", "Order", "2025-01-05"), ("Acme", "Call", "2025-03-01"), ("Müller", "Call", "2025-02-10")]
    ):
        information = {"subject": f"Größe {n}", "tags": ["a", "b"], "deep": {"x": 1}}
        changed = {"reference": f"r-{n}", "account": account, "type": kind, "happened_at": f"{day} 08:00:00"}
        await client.put({**activity, **changed, "additional_information_object": information})
    await client.put({**activity, "account": ""})
    return client


async def test_the_log_numbers_every_put(filled: Any) -> None:
    log = await filled.get("log")
    assert [(each["n"], each["status"], each["applied"]) for each in log] == [
        (1, 201, True),
        (2, 201, True),
        (3, 201, True),
        (4, 422, False),
    ]
    assert log[3]["errors"] == {"account": ["The account field is required."]}
    assert json.loads(log[0]["body"])["reference"] == "r-0"


async def test_the_log_goes_on_after_a_number(filled: Any) -> None:
    assert [each["n"] for each in await filled.get("log", after=2)] == [3, 4]
    assert [each["n"] for each in await filled.get("log", newest=2)] == [4, 3]
    assert [each["n"] for each in await filled.get("log", newest=9, before=3)] == [2, 1]
    assert [each["n"] for each in await filled.get("log", newest=9, trouble=1)] == [4]


async def test_stats_count_what_happened(filled: Any) -> None:
    stats = await filled.get("stats")
    wanted = {"puts": 4, "applied": 3, "created": 3, "updated": 0, "refused": 1, "tokens": 1}
    assert wanted.items() <= stats.items()
    assert (stats["activities"], stats["accounts"], stats["types"]) == (3, 2, 2)


@pytest.mark.parametrize(
    ("words", "references"),
    [
        ({}, ["r-1", "r-2", "r-0"]),
        ({"account": "Acme"}, ["r-1", "r-0"]),
        ({"type": "Call"}, ["r-1", "r-2"]),
        ({"type": "Call\nOrder"}, ["r-1", "r-2", "r-0"]),
        ({"q": "größe 2"}, ["r-2"]),
        ({"q": "subject"}, []),
        ({"from": "2025-02-10"}, ["r-1", "r-2"]),
        ({"to": "2025-02-10"}, ["r-2", "r-0"]),
        ({"from": "nonsense"}, ["r-1", "r-2", "r-0"]),
    ],
)
async def test_filters_leave_what_fits_newest_first(filled: Any, words: dict[str, str], references: list[str]) -> None:
    assert [each["reference"] for each in (await filled.get("timeline", **words))["lines"]] == references
    assert [each["reference"] for each in await filled.get("activities", **words)] == references


async def test_text_is_found_behind_json_escapes(client: Any, activity: dict[str, Any]) -> None:
    await client.put(json.dumps({**activity, "account": "Größe"}, ensure_ascii=True).encode())
    assert (await client.get("timeline", q="größe"))["total"] == 1


async def test_the_timeline_is_paged_and_counts_the_whole(filled: Any) -> None:
    found = await filled.get("timeline", offset=1, limit=1, type="Call")
    assert [each["reference"] for each in found["lines"]] == ["r-2"]
    assert found["total"] == 2
    assert {each["name"]: each["count"] for each in found["types"]} == {"Call": 2, "Order": 1}
    assert found["spans"] == {"2025-02-10": {"2": 1}, "2025-03-01": {"2": 1}}


async def test_a_line_has_a_title_and_facts_in_words(filled: Any) -> None:
    line = (await filled.get("timeline"))["lines"][0]
    assert (line["title"], line["facts"]) == ("Größe 1", [["tags", "a, b"], ["deep", '{"x":1}']])


async def test_accounts_are_searched_ordered_and_paged(filled: Any) -> None:
    async def names(**words: Any) -> list[str]:
        return [each["name"] for each in (await filled.get("accounts", **words))["accounts"]]

    assert await names() == ["Acme", "Müller"]
    assert await names(q="MÜ") == ["Müller"]
    assert await names(order="count", limit=1) == ["Acme"]
    assert await names(offset=1) == ["Müller"]


async def test_one_activity_shows_its_bytes_and_its_puts(client: Any, activity: dict[str, Any]) -> None:
    raw = json.dumps(activity, indent=3).encode()
    await client.put(activity)
    await client.put(raw)
    shown = await client.get("activities/1")
    assert shown["body"].encode() == raw
    assert [each["outcome"] for each in shown["history"]] == ["updated", "created"]


async def test_flat_keys_are_additional_information_too(client: Any, activity: dict[str, Any]) -> None:
    del activity["additional_information_object"]
    await client.put({**activity, "additional_information_array[subject]": "Flat"})
    assert (await client.get("activities/1"))["information"] == [["subject", "Flat"]]


async def test_an_unknown_activity_is_not_found(client: Any) -> None:
    assert await client.get("activities/99") == {"message": "Not Found."}


async def test_many_activities_are_streamed(client: Any, activity: dict[str, Any]) -> None:
    for n in range(1_201):
        client.sandbox.store.apply({**activity, "reference": f"r-{n}"}, b"{}", 0.0)
    assert len(await client.get("activities")) == 1_201
