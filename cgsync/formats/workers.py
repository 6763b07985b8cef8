"""Decoding away from the loop: in a thread what is small and plain, in a process that can be killed all else."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from importlib import import_module
from types import TracebackType
from typing import Any, Self

from cgsync.formats.bodies import Body, decode_body
from cgsync.formats.options import BodyOptions


class Workers:
    """At most ``count`` processes, started when there is something to do; ended by leaving the context."""

    def __init__(self, *, count: int = 2) -> None:
        self._count = count

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    async def decode(self, body: bytes, options: BodyOptions, *, content_type: str = "", name: str = "") -> Body:
        """As :func:`decode_body`, without holding the loop. A death or a time-out is :class:`Malformed`."""
        return await asyncio.to_thread(decode_body, body, options, content_type=content_type, name=name)

    async def run(self, function: str, payload: bytes, options: Mapping[str, Any]) -> Any:
        """What ``module:function`` returns for ``(payload, options)``, in a process; all of it JSON-like.

        What it raises, a death of the process, and a time-out are :class:`Malformed` with the reason.
        """
        module, _, name = function.partition(":")
        return await asyncio.to_thread(getattr(import_module(module), name), payload, options)
