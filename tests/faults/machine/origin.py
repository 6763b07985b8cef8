"""A source in our hand: a table of keys with their newest content, read in small pages, in two parts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from cgsync.api import Batch, Cursor, Json, Problem, Record, Source, Unreadable, Window

PARTS = ("p", "q")
LOG = "log"
"""The part of the cursor that tells which batch was the last: each has a number of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What stands at the source under a key. ``kind``: good, invalid, filtered."""

    key: str
    account: str
    kind: str = "good"
    revision: int | None = None

    def mended(self) -> Item:
        """What a mended mapping makes of it."""
        return replace(self, kind="good", account=f"Mended {self.account}") if self.kind == "invalid" else self

    def record(self, name: str) -> Record:
        data = {"id": self.key, "account": self.account, "skip": self.kind == "filtered"}
        data |= {"name": self.account, "from": address(name, self.key)}
        if self.kind == "invalid":
            data["account"] = ""
        return Record(key=self.key, data=data, position=f"{name} {self.key}", revision=self.revision)


def address(source: str, key: str) -> str:
    """Whom the records under that key are about."""
    return f"{key}.{source}@people.example"


@dataclass(eq=False, slots=True, kw_only=True)
class Run:
    """One run of a source, as the guard sees it. ``most``: so many accounts may it make."""

    most: int | None
    first: bool = True
    made: set[str] = field(default_factory=set)
    held: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A batch that was handed out: its own number, that of the one before it, and what was in it."""

    number: int
    before: int
    items: Sequence[Item]
    nobodies: Sequence[str] = ()
    """positions of what had no key, or was unreadable"""
    keyless: int = 0
    run: Run | None = None
    """``None`` for a backfill"""
    mended: bool = False
    """whether it is mapped by a mapping that takes everything"""


@dataclass(slots=True)
class Origin:
    """The source itself, which outlives every process. With ``revisions`` its records tell how new they are."""

    name: str
    revisions: bool
    settles: bool
    mended: bool = False
    """whether its mapping takes what was invalid before"""
    new_accounts: int | None = None
    """the limit of the guard"""
    slow: float = 0.0
    """seconds that a backfill waits for a page after it was made"""
    archive: dict[str, Item] = field(default_factory=dict)
    """what a backfill reads instead of what stands there now"""
    table: dict[str, tuple[int, Item]] = field(default_factory=dict)
    nobodies: list[tuple[int, str, str]] = field(default_factory=list)
    """(when, part, what): keyless or unreadable things"""
    moves: int = 0
    batches: int = 0
    served: dict[int, Served] = field(default_factory=dict)
    page: int = 2
    handed_out: dict[str, int] = field(default_factory=dict)
    replica: dict[str, Item] = field(default_factory=dict)
    """items that the next batch holds as they were before: it comes from a replica that lags behind"""
    troubles: list[BaseException] = field(default_factory=list)
    settle_troubles: list[BaseException] = field(default_factory=list)
    settled: set[int] = field(default_factory=set)

    @property
    def dry(self) -> bool:
        """Whether the last batch held the newest there is, in each part."""
        newest = {part: max((at for at, _ in self._changes(part)), default=0) for part in PARTS}
        return all(self.handed_out.get(part, 0) >= at for part, at in newest.items()) and not self.replica

    def part(self, key: str) -> str:
        return PARTS[sum(key.encode()) % len(PARTS)]

    def edit(self, key: str, account: str, kind: str = "good") -> None:
        """Somebody changes what stands under that key."""
        self.moves += 1
        revision = self.moves if self.revisions else None
        self.table[key] = self.moves, Item(key=key, account=account, kind=kind, revision=revision)

    def add_nobody(self, part: str, what: str) -> None:
        """Something without a key, or without a meaning, turns up."""
        self.moves += 1
        self.nobodies.append((self.moves, part, what))

    def lag(self, key: str) -> None:
        """The next batch shows that item as it is now, even if it is newer by then."""
        if key in self.table:
            self.replica[key] = self.table[key][1]

    def recall(self, cursor: Cursor, *, mended: bool) -> Batch | None:
        """What a backfill reads after its cursor: all there is, key by key."""
        keys = sorted(key for key in self.table if key > str(cursor.get("key") or ""))[: self.page]
        if not keys:
            return None
        items = [self.archive.get(key, self.table[key][1]) for key in keys]
        number = self._serve(items, cursor, mended=mended)
        records = [item.record(self.name) for item in items]
        return Batch(records=records, cursor={LOG: number, "key": keys[-1]}, done=[number] if self.settles else [])

    def _serve(self, items: Sequence[Item], cursor: Cursor, **more: Any) -> int:
        self.batches += 1
        before = int(str(cursor.get(LOG) or 0))
        self.served[self.batches] = Served(number=self.batches, before=before, items=items, **more)
        return self.batches

    def news(self, cursor: Cursor, run: Run, *, mended: bool) -> Batch | None:
        """What comes after the cursor."""
        for part in PARTS:
            since = int(str(cursor.get(part) or 0))
            changed = sorted(
                (at, item) for at, item in self._changes(part) if at > since
            )[: self.page]  # fmt: skip
            if changed:
                return self._batch(part, changed, cursor, run, mended)
        if self.replica:
            return self._batch(PARTS[0], [], cursor, run, mended)
        return None

    def _changes(self, part: str) -> Sequence[tuple[int, str]]:
        keyed = [(at, f"key {key}") for key, (at, _) in self.table.items() if self.part(key) == part]
        return [*keyed, *((at, what) for at, place, what in self.nobodies if place == part)]

    def _batch(self, part: str, changed: Sequence[tuple[int, str]], cursor: Cursor, run: Run, mended: bool) -> Batch:
        items = [*self.replica.values(), *(self.table[what[4:]][1] for _, what in changed if what.startswith("key "))]
        self.replica.clear()
        keyless = [at for at, what in changed if what == "keyless"]
        unreadable = [at for at, what in changed if what == "unreadable"]
        nobodies = [*(f"{self.name} keyless {at}" for at in keyless), *(f"{self.name} bad {at}" for at in unreadable)]
        number = self._serve(items, cursor, nobodies=nobodies, keyless=len(keyless), run=run, mended=mended)
        ghosts = [Record(key="", data={"account": "Ghost"}, position=f"{self.name} keyless {at}") for at in keyless]
        moved: dict[str, Json] = {LOG: number}
        if changed:
            moved[part] = self.handed_out[part] = changed[-1][0]
        return Batch(
            records=[*(item.record(self.name) for item in items), *ghosts],
            rejects=[Unreadable(position=f"{self.name} bad {at}", raw=b"\xff", reason="not text") for at in unreadable],
            cursor=moved,
            problems=[Problem(part=part, reason="a file was skipped")] if unreadable else [],
            done=[number] if self.settles else [],
        )


class Watcher(Protocol):
    """Who is told what a source is asked for."""

    def fetching(self, origin: Origin, cursor: Cursor, window: Window | None) -> None: ...
    def settling(self, origin: Origin, numbers: Sequence[int]) -> None: ...


class Tap:
    """An open source: what one process sees of the origin, as it is set up now. ``bell`` wakes it."""

    def __init__(self, origin: Origin, bell: asyncio.Event, alive: Callable[[], bool], watcher: Watcher) -> None:
        self.origin = origin
        self._bell = bell
        self._alive = alive
        self._watcher = watcher
        self._mended = origin.mended
        self._run = Run(most=origin.new_accounts)

    @asynccontextmanager
    async def open(self, window: Window | None = None) -> AsyncIterator[Source]:
        yield self if window is None else Recall(self.origin, self._mended, self._alive, self._watcher, window)

    async def fetch(self, cursor: Cursor) -> Batch | None:
        self._live()
        self._watcher.fetching(self.origin, cursor, None)
        await asyncio.sleep(0)
        if self.origin.troubles:
            raise self.origin.troubles.pop(0)
        batch = self.origin.news(cursor, self._run, mended=self._mended)
        if batch is None:
            self._run = Run(most=self._run.most, first=False)
        return batch

    async def wait(self) -> None:
        await self._bell.wait()
        self._bell.clear()

    def _live(self) -> None:
        if not self._alive():
            raise asyncio.CancelledError


class SettlingTap(Tap):
    """One whose source settles."""

    async def settle(self, done: Sequence[Json]) -> None:
        self._live()
        await asyncio.sleep(0)
        numbers = [int(str(item)) for item in done]
        self._watcher.settling(self.origin, numbers)
        if self.origin.settle_troubles:
            raise self.origin.settle_troubles.pop(0)
        self.origin.settled.update(numbers)


@dataclass(frozen=True, slots=True)
class Recall:
    """An open source that reads a span of time again."""

    origin: Origin
    mended: bool
    alive: Callable[[], bool]
    watcher: Watcher
    window: Window

    async def fetch(self, cursor: Cursor) -> Batch | None:
        if not self.alive():
            raise asyncio.CancelledError
        self.watcher.fetching(self.origin, cursor, self.window)
        await asyncio.sleep(0)
        batch = self.origin.recall(cursor, mended=self.mended)
        if self.origin.slow:
            await asyncio.sleep(self.origin.slow)
        return batch

    async def settle(self, done: Sequence[Json]) -> None:
        self.watcher.settling(self.origin, [int(str(item)) for item in done])


def tap(origin: Origin, bell: asyncio.Event, alive: Callable[[], bool], watcher: Watcher) -> Tap:
    """An open source over that origin."""
    return (SettlingTap if origin.settles else Tap)(origin, bell, alive, watcher)


def fold(wanted: dict[str, Item], items: Sequence[Item]) -> None:
    """What should be wanted after these: the newest that passed, per key; never an older revision over a newer."""
    for item in items:
        if item.kind != "good":
            continue
        old = wanted.get(item.key)
        if old is not None and None not in (old.revision, item.revision) and item.revision < old.revision:  # type: ignore[operator]  # neither is None
            continue
        wanted[item.key] = item
