"""Bodies with caps: what comes over the wire and what it expands to, both bounded while they are read."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from cgsync.http.broken import TooLarge

if TYPE_CHECKING:
    from aiohttp import ClientResponse

CHUNK = 64 * 1024
WINDOW = zlib.MAX_WBITS | 32
"""zlib or gzip, by its header."""


async def read(response: ClientResponse, *, limit: int) -> bytes:
    """At most ``limit`` bytes of the body as sent; raises :class:`TooLarge` and drops the connection above that."""
    length = response.content_length
    if length is not None and length <= limit:
        return await response.read()
    parts, size = [], 0
    async for part in response.content.iter_chunked(CHUNK):
        size += len(part)
        if size > limit:
            response.close()
            raise TooLarge(f"the answer is larger than {limit} bytes")
        parts.append(part)
    return b"".join(parts)


def expand(body: bytes, encoding: str, *, limit: int) -> bytes:
    """Undo a Content-Encoding of gzip or deflate; raises :class:`TooLarge`, or ``ValueError`` for what is no such."""
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise ValueError(f"content encoding {encoding!r} was not asked for")
    for window in (WINDOW, -zlib.MAX_WBITS):  # some servers send deflate without its header
        try:
            return _inflate(body, window, limit)
        except zlib.error as error:
            problem = error
            if encoding != "deflate":
                break
    raise ValueError(f"broken {encoding}: {problem}")


def _inflate(body: bytes, window: int, limit: int) -> bytes:
    machine = zlib.decompressobj(window)
    out = machine.decompress(body, limit + 1)
    if len(out) > limit:
        raise TooLarge(f"the answer expands to more than {limit} bytes")
    if not machine.eof:
        raise zlib.error("it ends in the middle")
    return out
