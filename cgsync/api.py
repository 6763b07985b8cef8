"""The door for authors of source plugins: everything a plugin needs, and nothing else of the core.

A plugin is an ordinary package with an entry point in the group ``cgsync.sources`` that names a module (or object)
with one hook::

    from cgsync.api import Batch, Record, SourceType, hook

    @hook
    def cgsync_source_types():
        return [SourceType(name="tickets", options_schema={...}, sample="...", open=open_tickets)]

The hook is synchronous and does no I/O. ``docs/plugins.md`` tells the whole contract, ``cgsync.testing`` checks it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar, runtime_checkable

import pluggy

from cgsync.errors import SourceError, SourceMisconfigured, SourceUnavailable
from cgsync.secrets import Secret

if TYPE_CHECKING:  # aiohttp costs a quarter of a second: it is imported by the first source that asks for it
    from cgsync.http import Http

__all__ = [
    "MAX_CURSOR_PART",
    "MAX_RAW",
    "MAX_RECORDS",
    "MEMBER_NAME",
    "Batch",
    "Checks",
    "Clock",
    "Context",
    "Cursor",
    "Json",
    "Later",
    "Log",
    "Member",
    "Problem",
    "Record",
    "Samples",
    "Secret",
    "SecretStore",
    "Settles",
    "Shares",
    "Source",
    "SourceError",
    "SourceMisconfigured",
    "SourceType",
    "SourceUnavailable",
    "Template",
    "Unreadable",
    "Waits",
    "Window",
    "hook",
]

PROJECT = "cgsync"
hook = pluggy.HookimplMarker(PROJECT)
hook_spec = pluggy.HookspecMarker(PROJECT)

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
Cursor: TypeAlias = "Mapping[str, Json]"
"""What was stored of a source: part (a file, a folder, a partition) → where it stands."""

MAX_RECORDS = 500
"""Records in one batch."""
MAX_RAW = 64 * 1024
"""Bytes kept of what could not be decoded."""
MAX_CURSOR_PART = 64 * 1024
"""Bytes of one part of a cursor, as JSON."""
MEMBER_NAME = r"[A-Za-z0-9][A-Za-z0-9_.@+-]{0,63}"
"""What the name of a :class:`Member` is, as a regular expression."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record as the source holds it.

    ``key`` is stable within the source: the same thing read again has the same key. ``position`` is for a person
    (``orders.csv line 12``, ``INBOX uid 7``). ``revision`` is the source's own modification stamp, an integer or an
    aware datetime; a record with a lower one than what is stored is counted as stale and dropped.
    """

    key: str
    data: Mapping[str, Any]
    position: str
    revision: int | datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """What could not be decoded into a record. ``raw`` holds at most 64 KiB of it."""

    position: str
    raw: bytes
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A part of the source that failed while the others went on, in words."""

    part: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The unit of commit: at most 500 records, and the cursor that stands behind them.

    ``cursor`` holds only the parts that changed; ``None`` forgets a part. ``filtered`` counts what the source left
    out, by cause. ``done`` is what may be settled (archived, flagged, deleted) once all of this is stored.
    """

    records: Sequence[Record] = ()
    cursor: Cursor = field(default_factory=dict)
    rejects: Sequence[Unreadable] = ()
    filtered: Mapping[str, int] = field(default_factory=dict)
    problems: Sequence[Problem] = ()
    done: Sequence[Json] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """Something is there but not ready yet: ask again after that time."""

    after: timedelta


class Source(Protocol):
    """An open source. The core never runs two methods of one source at once."""

    async def fetch(self, cursor: Cursor) -> Batch | Later | None:
        """What comes after ``cursor``; ``None`` when there is nothing now. No side effects: see ``Batch.done``."""


@runtime_checkable
class Settles(Protocol):
    """A source that archives, flags, deletes or answers what is stored."""

    async def settle(self, done: Sequence[Json]) -> None:
        """Settle items of ``Batch.done``. Called again after a crash or an error, so it must be idempotent."""


@runtime_checkable
class Waits(Protocol):
    """A source that notices by itself that something may be new."""

    async def wait(self) -> None:
        """Return when a fetch may find something. Cancelled before each fetch; must survive that."""


@runtime_checkable
class Checks(Protocol):
    """A source that can be tried without consequences."""

    async def check(self) -> str:
        """One real, read-only try; return what was seen, in one line."""


@runtime_checkable
class Samples(Protocol):
    """A source whose newest records are not what ``fetch`` returns first."""

    async def sample(self, n: int) -> Sequence[Record]:
        """The newest ``n`` records, for ``preview``. No side effects."""


class Clock(Protocol):
    """Time as an argument, so that a test can hold it."""

    def now(self) -> datetime:
        """Wall time in UTC; for people and for source cursors, never for durations."""

    def monotonic(self) -> float:
        """Seconds that never step and that count while the machine is suspended."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class Log(Protocol):
    """A structured logger bound to the source: an event in words, then key=value."""

    def debug(self, event: str, **values: Any) -> Any: ...
    def info(self, event: str, **values: Any) -> Any: ...
    def warning(self, event: str, **values: Any) -> Any: ...
    def error(self, event: str, **values: Any) -> Any: ...


class Template(Protocol):
    """A compiled template of an option."""

    def __call__(self, **values: Any) -> Any:
        """Render with these variables; raises :class:`SourceMisconfigured` when it does not fit them."""


class SecretStore(Protocol):
    """What a source must remember that nobody may read: a rotated refresh token."""

    def get(self, name: str) -> Secret | None: ...

    async def put(self, name: str, value: str) -> None:
        """Store durably (0600) before returning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The time span that a backfill asks for: ``start`` included, ``end`` not; both in UTC."""

    start: datetime
    end: datetime


class Shares(Protocol):
    """Things of which all sources of the daemon use the same one: how many connections there are to a server."""

    def __call__(self, make: Callable[[], T]) -> T:
        """What ``make`` (a class, mostly) returned when a source first asked for it; it lasts as long as the daemon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What the core lends to an open source."""

    name: str
    log: Log
    clock: Clock
    http: Callable[..., AbstractAsyncContextManager[Http]]
    secrets: SecretStore
    template: Callable[[str], Template]
    shared: Shares
    window: Window | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One of the sources that an entry stands for, with options of its own.

    ``name`` comes behind that of the entry and a slash; without one the source has the entry's own name. ``at`` is
    where among the options of the entry it stands: ``("accounts", 2)``; mistakes are shown there.
    """

    options: Mapping[str, Any]
    name: str = ""
    at: tuple[str | int, ...] = ()


Open: TypeAlias = Callable[[Mapping[str, Any], Context], AbstractAsyncContextManager[Source]]
Expand: TypeAlias = Callable[[Mapping[str, Any]], Sequence[Member]]
Judge: TypeAlias = Callable[[Mapping[str, Any], Callable[[str], Template]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceType:
    """One kind of source.

    ``name`` is the key under a source in the configuration. ``options_schema`` is a JSON Schema (2020-12) of type
    object; a secret is marked ``x-secret: true``, durations and sizes are ``{"$ref": "cgsync:duration"}`` and
    ``{"$ref": "cgsync:size"}``. ``sample`` is a commented YAML text of the options. ``open(options, context)`` gets
    the checked options as a frozen mapping (``${}`` resolved, defaults filled in, durations as ``timedelta``, sizes
    as ``int`` bytes, secrets as :class:`Secret`) and returns an async context manager.

    ``forgeable_keys``: strangers choose the record keys, so a reference belongs to one record, not to the source.
    ``windows``: the type understands ``context.window``. ``expand(options)`` turns one entry into several sources;
    it may raise as ``judge`` does. ``judge(options, template)`` raises :class:`SourceMisconfigured` for what no
    schema can say (a path or an expression that cannot be read), without I/O; words that begin with the names of
    options and colons ("records: path: …") are shown at that place. ``presets`` maps a name to the text of a YAML
    preset.
    """

    name: str
    options_schema: Mapping[str, Any]
    sample: str
    open: Open
    presets: Mapping[str, str] = field(default_factory=dict)
    forgeable_keys: bool = False
    windows: bool = False
    expand: Expand | None = None
    judge: Judge | None = None


class Hooks:
    """The specification that pluggy checks plugins against."""

    @hook_spec
    def cgsync_source_types(self) -> Sequence[SourceType]:
        """The source types of this plugin. Synchronous, without I/O."""
        raise NotImplementedError
