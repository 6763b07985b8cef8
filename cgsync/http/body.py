"""Bodies with caps: what comes over the wire and what it expands to, both bounded while they are read."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Protocol

from cgsync.http.broken import TooLarge

if TYPE_CHECKING:
    from aiohttp import ClientResponse

CHUNK = 64 * 1024
GZIP = zlib.MAX_WBITS | 16
ZLIB = zlib.MAX_WBITS
RAW = -zlib.MAX_WBITS
MAGIC = b"\x1f\x8b"


async def read(response: ClientResponse, *, limit: int) -> bytes:
    """At most ``limit`` bytes of the body as sent; raises :class:`TooLarge` and drops the connection above that."""
    length = response.content_length
    if length is not None and length <= limit:
        return await response.read()
    return await _streamed(response, _Plain(), limit=limit)


async def read_expanded(response: ClientResponse, *, received: int, expanded: int) -> bytes:
    """The body without its Content-Encoding; raises :class:`TooLarge`, or ``ValueError`` for what is no such."""
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity"):
        return await read(response, limit=min(received, expanded))
    return await _streamed(response, Expansion(encoding, limit=expanded), limit=received)


class _Sink(Protocol):
    def feed(self, part: bytes) -> None: ...
    def finish(self) -> bytes: ...


class _Plain:
    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def feed(self, part: bytes) -> None:
        self._parts.append(part)

    def finish(self) -> bytes:
        return b"".join(self._parts)


class Expansion:
    """Undoes a Content-Encoding of gzip or deflate piece by piece, never beyond ``limit`` bytes."""

    def __init__(self, encoding: str, *, limit: int) -> None:
        if encoding not in ("gzip", "x-gzip", "deflate"):
            raise ValueError(f"content encoding {encoding!r} was not asked for")
        self._encoding = encoding
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0
        self._machine: zlib._Decompress | None = None
        self._held = b""
        self._padded = False

    def feed(self, part: bytes) -> None:
        """Expand the next piece; raises :class:`TooLarge`, or ``ValueError`` for what is no such."""
        part, self._held = self._held + part, b""
        while part:
            if self._machine is None or self._machine.eof:
                if len(part) < len(MAGIC):
                    self._held = part
                    return
                if not self._begins(part):
                    return
            part = self._expanded(part)

    def finish(self) -> bytes:
        """All of it; raises ``ValueError`` when it ends in the middle."""
        if not self._machine.eof if self._machine else self._held:
            raise ValueError(f"broken {self._encoding}: it ends in the middle")
        return b"".join(self._parts)

    def _begins(self, start: bytes) -> bool:
        """True when a member begins here; behind the last one, some servers pad what they send."""
        if self._machine is not None and (self._padded or self._encoding == "deflate" or start[:2] != MAGIC):
            self._padded = True
            return False
        self._machine = zlib.decompressobj(self._window(start))
        return True

    def _expanded(self, part: bytes) -> bytes:
        """Returns what is left of it."""
        assert self._machine is not None
        try:
            out = self._machine.decompress(part, self._limit - self._size + 1)
        except zlib.error as error:
            raise ValueError(f"broken {self._encoding}: {error}") from None
        self._size += len(out)
        if self._size > self._limit:
            raise TooLarge(f"the answer expands to more than {self._limit} bytes")
        self._parts.append(out)
        return self._machine.unconsumed_tail or self._machine.unused_data

    def _window(self, start: bytes) -> int:
        if self._encoding != "deflate":
            return GZIP
        # some servers send deflate without the header that it ought to have
        return ZLIB if start[0] & 15 == 8 and int.from_bytes(start[:2]) % 31 == 0 else RAW


async def _streamed(response: ClientResponse, sink: _Sink, *, limit: int) -> bytes:
    size = 0
    try:
        async for part in response.content.iter_chunked(CHUNK):
            size += len(part)
            if size > limit:
                raise TooLarge(f"the answer is larger than {limit} bytes")
            sink.feed(part)
    except (TooLarge, ValueError):
        response.close()
        raise
    return sink.finish()
