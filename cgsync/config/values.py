"""A checked tree as the values that the program works with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from hashlib import blake2b
from types import MappingProxyType
from typing import Any

from cgsync.config.nodes import Node
from cgsync.plugins.vocabulary import duration, size
from cgsync.secrets import Secret


def value(node: Node, *, secret: bool = False) -> Any:
    """Frozen, with durations as timedelta, sizes as bytes, secrets as :class:`Secret`."""
    secret = secret or node.kind == "secret"
    if isinstance(node.value, dict):
        return MappingProxyType({key: value(each, secret=secret) for key, each in node.value.items()})
    if isinstance(node.value, list):
        return tuple(value(each, secret=secret) for each in node.value)
    if not isinstance(node.value, str):
        return node.value
    if secret:
        return Secret(node.value)
    converted = {"duration": duration, "size": size}.get(node.kind)
    return converted(node.value) if converted else node.value


def rate(text: str) -> float:
    """``10/s``, ``600/m``, ``5000/h`` or ``9000/d`` in requests per second; raises :class:`ValueError`."""
    count, _, unit = text.strip().partition("/")
    return float(count) / {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit]


def digest(*values: Any) -> str:
    """The same for the same values; secrets count with what they are."""
    text = json.dumps(values, sort_keys=True, default=_json)
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _json(item: Any) -> Any:
    if isinstance(item, Mapping):
        return dict(item)
    if isinstance(item, Secret):
        return {"secret": item.reveal()}
    if isinstance(item, timedelta):
        return {"seconds": item.total_seconds()}
    return str(item)
