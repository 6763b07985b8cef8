"""The wire log: what went out and what came back, without secrets, in files that only their owner reads."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

from cgsync.api import Clock
from cgsync.errors import SourceMisconfigured, SourceUnavailable
from cgsync.http.broken import Broken
from cgsync.http.messages import Request, Response, Wire
from cgsync.http.redaction import Redaction
from cgsync.http.settings import Trace

LONGEST = 64 * 1024
"""Bytes of one body that are written."""


class Traced:
    """A :class:`cgsync.http.Wire` that writes down what passes; raises :class:`SourceMisconfigured` if it cannot."""

    def __init__(self, wire: Wire, redaction: Redaction, trace: Trace, clock: Clock) -> None:
        self._wire = wire
        self._redaction = redaction
        self._file = RotatingFile(trace)
        self._clock = clock
        self._turn = asyncio.Lock()
        self._count = 0
        self._file.write(b"")

    async def exchange(self, request: Request) -> Response:
        self._count += 1
        number, began = self._count, self._clock.now().isoformat(timespec="milliseconds")
        try:
            response = await self._wire.exchange(request)
        except (Broken, SourceUnavailable) as error:
            await self._write(f"{began} #{number}", _sent(self._redaction.request(request)), f"! {error.message}\n")
            raise
        shown = self._redaction.response(response, login=request.login)
        await self._write(f"{began} #{number}", _sent(self._redaction.request(request)), _received(shown))
        return response

    async def _write(self, head: str, sent: str, received: str) -> None:
        async with self._turn:
            text = self._redaction(f"{head} {sent}{received}\n")
            await asyncio.to_thread(self._file.write, text.encode("utf-8", "replace"))


class RotatingFile:
    """Appends to ``file``; at ``size`` that becomes ``file.1``, ``file.1`` becomes ``file.2``, up to ``keep``."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace

    def write(self, content: bytes) -> None:
        """Whole, never half in each of two files. Raises :class:`SourceMisconfigured`."""
        try:
            if self._is_full():
                self._rotate()
            handle = os.open(self._trace.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(handle, "wb") as stream:
                os.fchmod(handle, 0o600)  # it may have been there before
                stream.write(content)
        except OSError as error:
            reason = f"{self._trace.file} cannot be written: {error.strerror}"
            raise SourceMisconfigured(reason, hint="correct `trace:`, or the folder's owner and mode") from None

    def _is_full(self) -> bool:
        try:
            return self._trace.file.stat().st_size >= self._trace.size
        except FileNotFoundError:
            return False

    def _rotate(self) -> None:
        for number in range(self._trace.keep - 1, 0, -1):
            if (older := self._numbered(number)).exists():
                older.replace(self._numbered(number + 1))
        if self._trace.keep:
            self._trace.file.replace(self._numbered(1))
        else:
            self._trace.file.unlink()

    def _numbered(self, number: int) -> Path:
        return self._trace.file.with_name(f"{self._trace.file.name}.{number}")


def _sent(request: Request) -> str:
    return f"> {request.method} {request.url}\n{_headers('>', request.headers)}{_body(request.body)}"


def _received(response: Response) -> str:
    head = f"< {response.status} in {response.elapsed.total_seconds():.3f} s\n"
    return f"{head}{_headers('<', response.headers)}{_body(response.body)}"


def _headers(side: str, headers: Mapping[str, str]) -> str:
    return "".join(f"{side} {name}: {value}\n" for name, value in headers.items())


def _body(body: bytes | None) -> str:
    if not body:
        return ""
    left = len(body) - LONGEST
    return body[:LONGEST].decode("utf-8", "backslashreplace") + (f"\n… and {left} bytes\n" if left > 0 else "\n")
