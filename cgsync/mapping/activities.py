"""Bodies become activities: serialised once, keys sorted, so that equal bodies are equal bytes."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import msgspec

from cgsync.errors import MappingError
from cgsync.model import Activity

MAX_ACTIVITY = 256 * 1024
"""Bytes of one activity as JSON."""


def activity(body: Mapping[str, Any]) -> Activity:
    """The activity that sends ``body``; raises :class:`MappingError` when it is larger than 256 KiB."""
    data = msgspec.json.encode(body, order="sorted")
    if len(data) > MAX_ACTIVITY:
        raise MappingError({"": f"{len(data):,} bytes in all, at most {MAX_ACTIVITY:,} are allowed"})
    digest = blake2b(data, digest_size=16).digest()
    return Activity(reference=body["reference"], body=data, digest=digest, account=body.get("account", ""))
