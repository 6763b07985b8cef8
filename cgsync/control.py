"""The control socket: commands that need ledger, source or secret are carried out by the daemon that holds them.

One connection, one request, one answer, each a line of JSON: ``{"verb": "status", "args": {}}`` is answered by
``{"result": …}`` or ``{"error": "…", "hint": "…", "exit": 1}``. The socket is 0660: who may connect may command.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from cgsync.api import Log
from cgsync.errors import CgsyncError, ControlError, NoDaemon, NotPermitted

LONGEST_PATH = 107
"""Bytes of a socket's path that the kernel takes."""
REQUEST_LIMIT = 1024 * 1024
ANSWER_LIMIT = 256 * 1024 * 1024

Carry = Callable[[str, Mapping[str, Any]], Awaitable[Any]]
"""verb, arguments → what is answered; raises :class:`CgsyncError`"""


class Request(msgspec.Struct, forbid_unknown_fields=True):
    verb: str
    args: dict[str, Any] = {}


def socket_path(folder: Path) -> Path:
    """``control.sock`` in the folder, or in a short one when the kernel would not take that path."""
    path = folder / "control.sock"
    if len(os.fsencode(path)) <= LONGEST_PATH:
        return path
    return Path(tempfile.mkdtemp(prefix="cgsync-")) / "control.sock"


@contextlib.asynccontextmanager
async def listening(path: Path, carry: Carry, log: Log) -> AsyncIterator[None]:
    """Answer requests while the block runs."""
    path.unlink(missing_ok=True)  # left behind by a kill; the ledger's lock says that nobody else listens
    server = await asyncio.start_unix_server(_Answering(carry, log), path=path, limit=REQUEST_LIMIT)
    path.chmod(0o660)
    try:
        yield
    finally:
        server.close()
        path.unlink(missing_ok=True)


class _Answering:
    """What happens on one connection."""

    def __init__(self, carry: Carry, log: Log) -> None:
        self._carry = carry
        self._log = log

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # a client that hung up has nobody left to tell
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            answer = await self._answer(await reader.readline(), _peer(writer))
            writer.write(msgspec.json.encode(answer, enc_hook=str) + b"\n")
            await writer.drain()
        writer.close()

    async def _answer(self, line: bytes, uid: int) -> Mapping[str, Any]:
        try:
            request = msgspec.json.decode(line, type=Request)
        except (msgspec.DecodeError, ValueError) as error:
            return _failure(ControlError(f"the request cannot be read: {error}"))
        try:
            result = await self._carry(request.verb, request.args)
        except CgsyncError as error:
            first = str(error).partition("\n")[0]  # all of it is shown to who asked
            self._log.warning("command failed", verb=request.verb, uid=uid, error=first)
            return _failure(error)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - the root of a command: its bug must not end the daemon
            self._log.error("command failed", verb=request.verb, uid=uid, exc_info=error)
            return _failure(ControlError(f"{type(error).__name__}: {error}", hint="the daemon's log has the details"))
        self._log.debug("command", verb=request.verb, uid=uid)
        return {"result": result}


def _failure(error: CgsyncError) -> dict[str, Any]:
    return {"error": error.message, "hint": error.hint, "exit": error.exit_status}


def _peer(writer: asyncio.StreamWriter) -> int:
    """The uid at the other end, for the log."""
    credentials = writer.get_extra_info("socket").getsockopt(
        socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")
    )
    return int(struct.unpack("3i", credentials)[1])


class Failed(ControlError):
    """The daemon carried the command out and says that it failed; ``exit_status`` is what it says."""

    def __init__(self, message: str, *, hint: str, exit_status: int) -> None:
        super().__init__(message, hint=hint)
        self.exit_status = exit_status


def ask(path: Path, verb: str, args: Mapping[str, Any]) -> Any:
    """Have the daemon carry out a command and return its result; blocks until it is done."""
    with _connect(path) as link:
        with contextlib.suppress(ConnectionError):
            link.sendall(msgspec.json.encode({"verb": verb, "args": args}) + b"\n")
        line = _answered(link)
    if not line:
        raise ControlError("the daemon ended before it answered", hint="its log says why")
    answer = msgspec.json.decode(line)
    if "error" in answer:
        raise Failed(answer["error"], hint=answer["hint"], exit_status=answer["exit"])
    return answer["result"]


def _answered(link: socket.socket) -> bytes:
    """The line that the daemon answers; empty when it was killed meanwhile."""
    try:
        with link.makefile("rb") as stream:
            return stream.readline(ANSWER_LIMIT)
    except ConnectionError:
        return b""


def _connect(path: Path) -> socket.socket:
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        link.connect(os.fspath(path))
    except PermissionError:
        link.close()
        raise NotPermitted(f"{path} belongs to others", hint="join the group cgsync, or use sudo") from None
    except OSError as error:
        link.close()
        raise NoDaemon(f"no daemon listens on {path}: {error.strerror}", hint="start it with `cgsync run`") from None
    return link
