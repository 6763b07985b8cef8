"""Letting the sending rest, and go on; sources are read meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cgsync.operations.core import Core


async def pause(core: Core) -> Mapping[str, Any]:
    await core.connect()
    await core.engine.sending.pause()
    return {}


async def resume(core: Core) -> Mapping[str, Any]:
    await core.connect()
    await core.engine.sending.resume()
    return {}
