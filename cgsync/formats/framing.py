"""Frames on a pipe: a letter, a size, and that many bytes."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any

HEAD = struct.Struct(">cQ")
JOB, REFUSED, FAILED = b"J", b"R", b"F"
"""Kinds of frames beside those of a value: a part of a job; its bytes are no good; the job itself went wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to call (``module:function``), with which options, and the seconds of CPU that it may take."""

    function: str
    options: Mapping[str, Any]
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What :class:`Malformed` said in the other process."""

    reason: str
    hint: str
    offset: int
    line: int
    raw: bytes


def send(pipe: IO[bytes], kind: bytes, content: bytes) -> None:
    pipe.write(HEAD.pack(kind, len(content)))
    pipe.write(content)


def receive(pipe: IO[bytes]) -> tuple[bytes, bytes]:
    """The next frame. Raises ``EOFError`` where the pipe ends."""
    kind, size = HEAD.unpack(_exactly(pipe, HEAD.size))
    return kind, _exactly(pipe, size)


def _exactly(pipe: IO[bytes], size: int) -> bytes:
    content = pipe.read(size)
    if len(content) < size:
        raise EOFError
    return content
