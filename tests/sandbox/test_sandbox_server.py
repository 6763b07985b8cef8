"""The token endpoint and the one call, over real HTTP."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import Any

import aiohttp
import pytest

from cgsync.errors import CgsyncError
from cgsync.sandbox import Sandbox


async def test_a_right_secret_gets_a_bearer_token(client: Any) -> None:
    status, body = await client.login()
    assert status == 200
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 3600


async def test_a_wrong_secret_is_an_invalid_client(client: Any) -> None:
    assert await client.login(secret="guess") == (401, {"error": "invalid_client"})


async def test_a_put_is_answered_with_the_numbers_of_its_names(client: Any, activity: dict[str, Any]) -> None:
    status, body = await client.put(activity)
    assert status == 201
    assert body == {
        "data": {"id": 1, "reference": "shop-1", "classification_id": 1, "account_id": 10001, "contact_id": 50001}
    }


async def test_the_same_reference_updates(client: Any, activity: dict[str, Any]) -> None:
    await client.put(activity)
    status, body = await client.put({**activity, "type": "Return"})
    assert (status, body["data"]["id"], body["data"]["classification_id"]) == (200, 1, 2)
    [stored] = await client.get("activities")
    assert (stored["type"], stored["puts"]) == ("Return", 2)


async def test_without_a_reference_each_put_is_a_new_activity(client: Any, activity: dict[str, Any]) -> None:
    del activity["reference"]
    ids = [(await client.put(activity))[1]["data"]["id"] for _ in range(2)]
    assert ids == [1, 2]


async def test_no_contact_has_no_number(client: Any, activity: dict[str, Any]) -> None:
    del activity["contact"]
    assert (await client.put(activity))[1]["data"]["contact_id"] is None


async def test_a_broken_rule_is_a_422_in_the_documented_shape(client: Any, activity: dict[str, Any]) -> None:
    del activity["type"]
    expected = {"message": "The given data was invalid.", "errors": {"type": ["The type field is required."]}}
    assert await client.put(activity) == (422, expected)
    assert await client.get("activities") == []


async def test_the_path_may_end_with_a_slash(client: Any, activity: dict[str, Any]) -> None:
    headers = {"Authorization": f"Bearer {client.token}"}
    async with client.session.put(client.sandbox.url + "/", json=activity, headers=headers) as answer:
        assert answer.status == 201


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", {}, 400),
        (b"[]", {}, 400),
        (b'{"a": NaN}', {}, 400),
        (b"[" * 100_000, {}, 400),
        (b"{}", {"Content-Type": "text/plain"}, 415),
        (b"{}", {"Authorization": "Bearer guess"}, 401),
        (b"{}", {"Authorization": ""}, 401),
        (b" " * (1024 * 1024 + 1), {}, 413),
    ],
)
async def test_what_is_not_an_activity_is_refused(
    client: Any, body: bytes, headers: dict[str, str], status: int
) -> None:
    answered, words = await client.put(body, **headers)
    assert answered == status
    assert words["message"]
    assert (await client.get("stats"))["applied"] == 0


async def test_other_paths_and_methods_answer_json(client: Any) -> None:
    for method, path, status in (("GET", "activities", 405), ("PUT", "nothing", 404)):
        async with client.session.request(method, client.sandbox.page + path) as answer:
            assert (answer.status, bool((await answer.json())["message"])) == (status, True)


async def test_a_token_ends(activity: dict[str, Any]) -> None:
    async with Sandbox(token_lifetime=0) as sandbox, aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bearer {sandbox.tokens.issue()}"}
        async with session.put(sandbox.url, json=activity, headers=headers) as answer:
            assert answer.status == 401


async def test_a_rate_limit_answers_429_with_what_to_wait(activity: dict[str, Any]) -> None:
    async with Sandbox(rate_limit=0.01) as sandbox, aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bearer {sandbox.tokens.issue()}"}
        async with session.put(sandbox.url, json=activity, headers=headers) as first:
            assert (first.status, first.headers["X-RateLimit-Remaining"]) == (201, "0")
        async with session.put(sandbox.url, json=activity, headers=headers) as second:
            assert (second.status, second.headers["Retry-After"]) == (429, "100")
        assert sandbox.stats()["limited"] == 1


async def test_latency_is_waited_before_each_answer(activity: dict[str, Any]) -> None:
    async with Sandbox(latency=0.05) as sandbox, aiohttp.ClientSession() as session:
        began = asyncio.get_running_loop().time()
        async with session.put(sandbox.url, json=activity):
            assert asyncio.get_running_loop().time() - began >= 0.05


async def test_a_port_that_is_taken_is_said_in_words(sandbox: Sandbox) -> None:
    port = int(sandbox.page.rsplit(":", 1)[1].strip("/"))
    with pytest.raises(CgsyncError, match=rf"cannot listen on 127.0.0.1:{port}.*another --port"):
        async with Sandbox(port=port):
            pass


def test_making_one_needs_no_loop() -> None:
    assert Sandbox(host="::1", port=1234).url == "http://[::1]:1234/activities"


async def test_a_secret_of_ones_own_is_not_shown() -> None:
    assert "mine" not in Sandbox(client_secret="mine").addresses().values()


async def test_serve_prints_its_addresses_and_ends_with_a_signal() -> None:
    code = "import asyncio; from cgsync.sandbox import serve; asyncio.run(serve())"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    assert process.stdout
    text = b""
    while b"client_secret" not in text:
        line = await asyncio.wait_for(process.stdout.readline(), 20)
        assert line, text
        text += line
    os.kill(process.pid, signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 20) == 0
    assert b"/oauth2/token" in text
