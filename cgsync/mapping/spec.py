"""What a mapping is written as, before it is compiled, and what can be wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol
from zoneinfo import ZoneInfo

OBJECT = "additional_information_object"
ARRAY = "additional_information_array"
REQUIRED = ("account", "type", "source", "happened_at")
KEYS = ("reference", "account", "contact", "type", "source", "happened_at", OBJECT, ARRAY)

Path = tuple[str | int, ...]


class Lookup(Protocol):
    """A table of the configuration that templates may ask."""

    def get(self, key: str) -> str | None:
        """The value that stands beside ``key``, or ``None``."""

    def digest(self) -> str:
        """The same as long as the table holds the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingSpec:
    """A mapping as the configuration holds it: plain YAML values, templates as text.

    ``listed`` says that ``activity:`` was written as a list, which a list of one does not show by its length.
    """

    record_name: str
    when: str | bool | None
    activities: Sequence[Mapping[str, Any]]
    timezone: ZoneInfo
    timestamps: Literal["utc", "offset"] = "utc"
    lookups: Mapping[str, Lookup] = field(default_factory=dict)
    listed: bool = False

    @property
    def plural(self) -> bool:
        return self.listed or len(self.activities) != 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """Something wrong with a mapping. ``path`` is relative to the source: ``("activity", 1, "account")``."""

    path: Path
    message: str
    help: str = ""


def is_flat(key: str) -> bool:
    """Whether ``key`` is spelt ``additional_information_array[key]``, as the API's own table spells it."""
    return key.startswith(f"{ARRAY}[") and key.endswith("]") and len(key) > len(ARRAY) + 2
