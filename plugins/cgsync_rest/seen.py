"""What was stored lately, so that what is read again within the lookback is only stored when it changed."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from cgsync.api import Json
from cgsync_rest.loopguard import digest

MOST = 500
"""Records remembered; what is beyond them is stored again, and the ledger drops it as unchanged."""


@dataclass(frozen=True, slots=True)
class Version:
    """What was stored last under a key: its digest, the record's value, and that as it is ``written`` in the cursor."""

    content: str
    value: Any
    written: Json


class Seen:
    """Key → the version that was stored last; all of it fits into the cursor. ``write`` makes JSON of a value.

    For a key that is in here, the digest is that of its last stored version, always: else a change back to an earlier
    version would be taken for no change. So each batch carries it along.
    """

    def __init__(self, write: Callable[[Any], Json]) -> None:
        self._write = write
        self._known: dict[str, Version] = {}

    @classmethod
    def from_json(cls, value: Any, *, read: Callable[[Json], Any], write: Callable[[Any], Json]) -> Self:
        """``read`` makes a value of its JSON. What cannot be read is forgotten."""
        seen = cls(write)
        try:
            seen._known = {str(key): seen._version(str(content), read(at)) for key, content, at in value or ()}
        except (TypeError, ValueError):
            seen._known = {}
        return seen

    def holds(self, key: str, content: bytes) -> bool:
        """Whether that very version of the record was stored."""
        known = self._known.get(short(key))
        return known is not None and known.content == _text(content)

    def put(self, key: str, content: bytes, value: Any) -> None:
        """That version is being stored; ``value`` may be ``None``."""
        name = short(key)
        self._known.pop(name, None)  # the latest stands last
        self._known[name] = self._version(_text(content), value)

    def forget_below(self, value: Any) -> None:
        """What lies before ``value`` is not read again. Of the rest the highest stay."""
        kept = {
            key: each for key, each in self._known.items() if value is None or each.value is None or each.value >= value
        }
        if len(kept) > MOST:
            ranked = sorted(kept, key=lambda key: _rank(kept[key].value))
            for key in ranked[: len(kept) - MOST]:
                del kept[key]
        self._known = kept

    def as_json(self) -> list[Json]:
        return [[key, version.content, version.written] for key, version in self._known.items()]

    def _version(self, content: str, value: Any) -> Version:
        """Written at once: all of them are in the cursor of each batch."""
        return Version(content, value, None if value is None else self._write(value))


def short(key: str) -> str:
    return _text(digest(key))


def _rank(value: Any) -> tuple[int, Any]:
    """Values in their order; what has none comes first, as the first to go."""
    return (0, 0) if value is None else (1, value)


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode().rstrip("=")
