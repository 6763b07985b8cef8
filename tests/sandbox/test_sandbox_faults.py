"""Each fault does on the wire what it says, and the script decides which request meets it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgsync.sandbox import BadFault
from cgsync.sandbox.faults import KINDS, Faults, parse


async def outcome(client: Any, body: Any) -> Any:
    """The status, or the name of what broke."""
    try:
        return (await client.put(body))[0]
    except (aiohttp.ClientError, ConnectionError, ValueError) as error:
        return type(error).__name__


async def applied(client: Any) -> int:
    return int((await client.get("stats"))["applied"])


async def test_a_status_comes_with_headers_and_body(client: Any, activity: dict[str, Any]) -> None:
    await client.fault(kind="status", status=429, headers={"Retry-After": "7"}, body={"message": "slow"}, next=1)
    headers = {"Authorization": f"Bearer {client.token}"}
    async with client.session.put(client.sandbox.url, json=activity, headers=headers) as answer:
        assert (answer.status, answer.headers["Retry-After"], await answer.json()) == (429, "7", {"message": "slow"})
    assert await outcome(client, activity) == 201


async def test_a_body_that_is_text_is_sent_as_it_stands(client: Any) -> None:
    await client.fault(kind="status", status=502, body="<h1>Bad gateway</h1>")
    async with client.session.put(client.sandbox.url, json={}) as answer:
        assert await answer.text() == "<h1>Bad gateway</h1>"


@pytest.mark.parametrize(
    ("kind", "seen", "kept"),
    [
        ("reset_before", {"ClientOSError", "ServerDisconnectedError", "ConnectionResetError"}, 0),
        ("reset_after", {"ClientOSError", "ServerDisconnectedError", "ConnectionResetError"}, 1),
        ("reset_inside", {"ClientPayloadError", "ClientOSError", "ConnectionResetError"}, 1),
        ("truncated", {"ClientPayloadError"}, 1),
        ("bad_gzip", {"ContentEncodingError", "ClientPayloadError", "ClientResponseError"}, 1),
        ("bad_json", {"JSONDecodeError"}, 1),
        ("huge", {201}, 1),
        ("html200", {"JSONDecodeError"}, 0),
        ("empty200", {200}, 0),
        ("redirect", {307}, 0),
        ("status", {503}, 0),
        ("revoke", {401}, 0),
    ],
)
async def test_a_fault_is_met_once_and_applies_what_it_says(
    client: Any, activity: dict[str, Any], kind: str, seen: set[Any], kept: int
) -> None:
    await client.fault(kind=kind, next=1)
    assert await outcome(client, activity) in seen
    assert await applied(client) == kept
    await client.login()
    assert await outcome(client, activity) in (200, 201)


async def test_any_kind_can_apply_all_the_same(client: Any, activity: dict[str, Any]) -> None:
    await client.fault(kind="status", status=500, applied=True, next=1)
    assert await outcome(client, activity) == 500
    assert await applied(client) == 1


async def test_hang_says_nothing_for_its_time(client: Any, activity: dict[str, Any]) -> None:
    await client.fault(kind="hang", next=1)
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(client.put(activity), 0.2)
    assert await applied(client) == 0


async def test_delay_is_the_usual_answer_later(client: Any, activity: dict[str, Any]) -> None:
    await client.fault(kind="delay", seconds=0.05)
    began = asyncio.get_running_loop().time()
    assert await outcome(client, activity) == 201
    assert asyncio.get_running_loop().time() - began >= 0.05


async def test_late_is_applied_after_the_connection_is_gone(client: Any, activity: dict[str, Any]) -> None:
    await client.fault(kind="late", seconds=0.1, next=1)
    assert await outcome(client, activity) in {"ClientOSError", "ServerDisconnectedError", "ConnectionResetError"}
    assert await applied(client) == 0
    async with asyncio.timeout(60):
        while not await applied(client):  # noqa: ASYNC110 - the sandbox tells its count to whoever asks
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(("kind", "least"), [("drip", 1), ("endless", 1_000_000)])
async def test_an_answer_without_end_comes_in_pieces(
    client: Any, activity: dict[str, Any], kind: str, least: int
) -> None:
    await client.fault(kind=kind, next=1)
    headers = {"Authorization": f"Bearer {client.token}"}
    async with client.session.put(client.sandbox.url, json=activity, headers=headers) as answer:
        assert len(await answer.content.readexactly(least)) == least
        assert not answer.content.at_eof()


async def test_a_bomb_is_small_on_the_wire(client: Any, activity: dict[str, Any]) -> None:
    await client.fault(kind="gzip_bomb", next=1)
    headers = {"Authorization": f"Bearer {client.token}"}
    async with client.session.put(client.sandbox.url, json=activity, headers=headers) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert int(answer.headers["Content-Length"]) < 1_000_000


async def test_a_sandbox_that_is_down_refuses_connections_and_comes_back(client: Any, activity: dict[str, Any]) -> None:
    await client.fault(kind="down", seconds=0.2, next=1)
    broken = {"ClientOSError", "ServerDisconnectedError", "ConnectionResetError"}
    assert await outcome(client, activity) in broken
    seen = []
    async with asyncio.timeout(60):
        while (last := await outcome(client, activity)) != 201:
            seen.append(last)
            await asyncio.sleep(0.01)
    assert "ClientConnectorError" in seen


async def test_who_connects_while_it_goes_down_is_cut_off(client: Any) -> None:
    port = int(client.sandbox.page.rstrip("/").rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as late:
        await asyncio.sleep(0)  # it is accepted in the next step of the loop, after what this one begins
        await asyncio.create_task(client.sandbox._go_down(0))
        late.settimeout(5)
        assert await asyncio.to_thread(late.recv, 1) == b""


@pytest.mark.parametrize("status", [301, 302, 308])
async def test_a_redirect_has_the_status_that_it_is_told(client: Any, status: int) -> None:
    await client.fault(kind="redirect", status=status, next=1)
    async with client.session.put(client.sandbox.url, json={}, allow_redirects=False) as answer:
        assert answer.status == status


async def test_the_token_endpoint_can_refuse(client: Any) -> None:
    await client.fault(kind="refuse_token", next=1)
    assert await client.login() == (401, {"error": "invalid_client"})
    assert (await client.login())[0] == 200
    assert (await client.get("stats"))["tokens_refused"] == 1


async def test_revoked_tokens_are_no_longer_good(client: Any, activity: dict[str, Any]) -> None:
    async with client.session.delete(client.sandbox.page + "api/tokens"):
        pass
    assert await outcome(client, activity) == 401


async def test_faults_are_listed_with_their_hits_and_cleared(client: Any, activity: dict[str, Any]) -> None:
    await client.fault(kind="status", status=500, nth=2)
    assert [await outcome(client, activity) for _ in range(3)] == [201, 500, 200]
    [armed] = await client.get("faults")
    assert (armed["seen"], armed["hits"], armed["kind"]) == (3, 1, "status")
    async with client.session.delete(client.sandbox.page + "api/faults"):
        pass
    assert await client.get("faults") == []


async def test_a_fault_that_makes_no_sense_is_refused_in_words(client: Any) -> None:
    status, words = await client.fault(kind="explode")
    assert status == 422
    assert "unknown kind 'explode'" in words["message"]


async def test_a_page_of_another_origin_cannot_arm_faults(client: Any) -> None:
    async with client.session.post(client.sandbox.page + "api/faults", data='{"kind": "hang"}') as answer:
        assert answer.status == 415


def hits(requests: int, **words: Any) -> list[int]:
    faults = Faults()
    faults.add(kind="status", **words)
    return [n for n in range(1, requests + 1) if faults.met("put", "a-1")]


def test_the_matchers_count_from_one() -> None:
    assert hits(5, next=2) == [1, 2]
    assert hits(5, nth=3) == [3]
    assert hits(6, every=2) == [2, 4, 6]
    assert hits(3) == [1, 2, 3]
    assert hits(3, reference="b-*") == []
    assert hits(3, reference="a-*") == [1, 2, 3]


def test_probability_is_the_same_for_the_same_seed() -> None:
    assert hits(100, probability=0.2, seed=7) == hits(100, probability=0.2, seed=7)
    assert hits(100, probability=0.2, seed=7) != hits(100, probability=0.2, seed=8)
    assert 10 < len(hits(100, probability=0.2)) < 35


def test_the_first_fault_that_is_met_decides() -> None:
    faults = Faults()
    faults.add(kind="status", status=500, next=1)
    faults.add(kind="status", status=503)
    statuses = [fault.status for fault in (faults.met("put"), faults.met("put")) if fault]
    assert statuses == [500, 503]


names = st.sampled_from([*KINDS, "kind", "next", "headers", "status", "body", "on", "probability"])
values = st.none() | st.integers() | st.floats() | st.text() | st.sampled_from(list(KINDS)) | st.lists(st.integers())


@given(st.dictionaries(names, values))
def test_nonsense_is_a_bad_fault_and_nothing_else(words: dict[str, Any]) -> None:
    with contextlib.suppress(BadFault):
        parse(words).reply()
