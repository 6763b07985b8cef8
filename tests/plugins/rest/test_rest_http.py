"""What every HTTP plugin's options say reaches the session."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from cgsync.api import SourceMisconfigured
from cgsync.http import Caps
from tests.plugins.rest.conftest import Over
from tests.plugins.rest.desk import TOKEN
from tests.plugins.rest.receiver import Receiver
from tests.plugins.rest.site import Site


async def test_the_options_reach_the_session(over: Over, tmp_path: Path) -> None:
    asked: dict[str, Any] = {}

    @asynccontextmanager
    async def http(**arguments: Any) -> Any:
        asked.update(arguments)
        yield None

    driver = over(
        "https://api.example/{{ page }}/x",
        timeout={"connect": "3s", "read": "4s", "total": "5s"},
        redirects="none",
        proxy="http://proxy.example:3128",
        tls={"verify": False},
        allow_insecure=True,
        limits={"response": "1MB", "decompressed": "2MB", "record": "1kB"},
        retry={"attempts": 2, "time": "3s", "backoff": "1s", "max": "2s", "jitter": False},
        circuit={"failures": 3, "pause": "7s"},
        rate_limit="30/m",
        trace=str(tmp_path / "wire.log"),
        user_agent="us",
        headers={"X-Fixed": "1", "X-Templated": "{{ page }}"},
    )
    async with driver.kind.open(driver.options, replace(driver.context, http=http)):
        pass
    assert asked["origin"] == "https://api.example"
    assert asked["timeout"] == timedelta(seconds=5)
    assert (asked["connect_timeout"], asked["read_timeout"]) == (timedelta(seconds=3), timedelta(seconds=4))
    assert asked["redirects"] is False
    assert asked["proxy"].reveal() == "http://proxy.example:3128"
    assert asked["caps"] == Caps(received=1_000_000, expanded=2_000_000)
    assert (asked["retry"].attempts, asked["circuit"].failures) == (2, 3)
    assert asked["headers"] == {"X-Fixed": "1"}
    assert asked["trace"].file == tmp_path / "wire.log"


async def test_without_encryption_only_this_machine_is_asked(over: Over) -> None:
    with pytest.raises(SourceMisconfigured, match="allow_insecure"):
        async with over("http://api.example/x").open():
            pass


async def test_a_redirect_to_the_same_host_is_followed(site: Site, over: Over) -> None:
    def answer(request: web.Request) -> Any:
        return web.Response(status=302, headers={"Location": "/y?v=1"}) if request.path == "/x" else [{"id": 1}]

    site.answer = answer
    receiver = Receiver()
    await receiver.poll(over(site.url + "/x", records="$[*]"))
    assert set(receiver.records) == {"1"}


async def test_a_credential_is_in_no_error_and_no_position(site: Site, over: Over, log: Any) -> None:
    """The API repeats it in its error, in its pages, and in the address of the next one."""

    def answer(request: web.Request) -> Any:
        if "p" in request.query:
            return web.Response(status=400, text=f'{{"error": "bad key {TOKEN}"}}', content_type="application/json")
        return {"tickets": [{"id": 1}], "next": f"/x?p=abc&key={request.query['key']}"}

    site.answer = answer
    auth = {"api_key": {"name": "key", "value": TOKEN, "in": "query"}}
    driver = over(site.url + "/x", auth=auth, paginate={"next_url": {"path": "$.next"}})
    receiver = Receiver()
    with pytest.raises(SourceMisconfigured) as caught:
        await receiver.poll(driver)
    assert TOKEN not in str(caught.value) + log.text
    assert TOKEN not in repr(receiver.cursor)
