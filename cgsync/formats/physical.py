"""Physical lines: bytes up to and with a line feed, however long."""

from __future__ import annotations

from typing import BinaryIO

CHUNK = 64 * 1024


def skip_line(stream: BinaryIO) -> int:
    """Read to the end of the line in constant memory; how many bytes that were."""
    skipped = 0
    while chunk := stream.readline(CHUNK):
        skipped += len(chunk)
        if chunk.endswith(b"\n"):
            break
    return skipped
