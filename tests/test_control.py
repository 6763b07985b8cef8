"""Commands over the control socket, on a real socket."""

from __future__ import annotations

import asyncio
import socket
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import structlog

from cgsync import control
from cgsync.errors import ControlError, LedgerError, NoDaemon


async def carry(verb: str, args: Mapping[str, Any]) -> Any:
    if verb == "echo":
        return args
    if verb == "fail":
        raise LedgerError("disk full", hint="make room")
    raise RuntimeError("a bug")


@pytest.fixture
async def path(tmp_path: Path):
    place = control.socket_path(tmp_path)
    async with control.listening(place, carry, structlog.get_logger()):
        yield place


async def ask(path: Path, verb: str, **args: Any) -> Any:
    return await asyncio.to_thread(control.ask, path, verb, args)


async def test_a_command_is_carried_out_and_answered(path: Path) -> None:
    assert await ask(path, "echo", text="Zürich\n", number=1) == {"text": "Zürich\n", "number": 1}


async def test_an_error_arrives_with_its_words_its_hint_and_its_exit_status(path: Path) -> None:
    with pytest.raises(ControlError, match="disk full") as caught:
        await ask(path, "fail")
    assert (caught.value.hint, caught.value.exit_status) == ("make room", 74)


async def test_a_bug_in_a_command_is_answered_and_the_socket_lives_on(path: Path) -> None:
    with pytest.raises(ControlError, match="RuntimeError: a bug"):
        await ask(path, "boom")
    assert await ask(path, "echo") == {}


@pytest.mark.parametrize(
    "line", [b"\n", b"{}\n", b"[1]\n", b'{"verb": 7}\n', b"\xff\xfe\n", b'{"verb":"echo","more":1}\n']
)
async def test_what_is_not_a_request_is_refused_in_words(path: Path, line: bytes) -> None:
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(line)
    assert b"the request cannot be read" in await reader.readline()
    writer.close()
    await writer.wait_closed()


async def test_a_client_that_hangs_up_harms_nobody(path: Path) -> None:
    _, writer = await asyncio.open_unix_connection(path)
    writer.close()
    await writer.wait_closed()
    assert await ask(path, "echo") == {}


async def test_only_owner_and_group_may_connect(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o660


async def test_a_socket_left_behind_by_a_kill_is_replaced(tmp_path: Path) -> None:
    place = control.socket_path(tmp_path)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(place))
    async with control.listening(place, carry, structlog.get_logger()):
        assert await ask(place, "echo") == {}
    assert not place.exists()


async def test_without_a_daemon_it_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(NoDaemon, match="cgsync run"):
        await ask(tmp_path / "control.sock", "echo")


def test_a_folder_too_deep_for_a_socket_gets_a_short_one(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["folder"] * 20)
    path = control.socket_path(deep)
    assert len(str(path)) <= control.LONGEST_PATH
    path.parent.rmdir()
