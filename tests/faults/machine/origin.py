"""A source in our hand: a table of keys with their newest content, read in small pages, in two parts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from cgsync.api import Batch, Cursor, Json, Problem, Record, Source, Unreadable

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

    def record(self, name: str) -> Record:
        data = {"id": self.key, "account": self.account, "skip": self.kind == "filtered"}
        if self.kind == "invalid":
            data["account"] = ""
        return Record(key=self.key, data=data, position=f"{name} {self.key}", revision=self.revision)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A batch that was handed out: its own number, that of the one before it, and what was in it."""

    number: int
    before: int
    items: Sequence[Item]
    nobodies: Sequence[str]
    """positions of what had no key, or was unreadable"""


@dataclass(slots=True)
class Origin:
    """The source itself, which outlives every process. With ``revisions`` its records tell how new they are."""

    name: str
    revisions: bool
    settles: bool
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

    def news(self, cursor: Cursor) -> Batch | None:
        """What comes after the cursor."""
        for part in PARTS:
            since = int(str(cursor.get(part) or 0))
            changed = sorted(
                (at, item) for at, item in self._changes(part) if at > since
            )[: self.page]  # fmt: skip
            if changed:
                return self._batch(part, changed, cursor)
        if self.replica:
            return self._batch(PARTS[0], [], cursor)
        return None

    def _changes(self, part: str) -> Sequence[tuple[int, str]]:
        keyed = [(at, f"key {key}") for key, (at, _) in self.table.items() if self.part(key) == part]
        return [*keyed, *((at, what) for at, place, what in self.nobodies if place == part)]

    def _batch(self, part: str, changed: Sequence[tuple[int, str]], cursor: Cursor) -> Batch:
        items = [self.table[what[4:]][1] for _, what in changed if what.startswith("key ")]
        old = list(self.replica.values())
        self.replica.clear()
        keyless = [at for at, what in changed if what == "keyless"]
        unreadable = [at for at, what in changed if what == "unreadable"]
        self.batches += 1
        self.served[self.batches] = Served(
            number=self.batches,
            before=int(str(cursor.get(LOG) or 0)),
            items=[*old, *items],
            nobodies=[
                *(f"{self.name} keyless {at}" for at in keyless),
                *(f"{self.name} bad {at}" for at in unreadable),
            ],
        )
        ghosts = [Record(key="", data={"account": "Ghost"}, position=f"{self.name} keyless {at}") for at in keyless]
        moved: dict[str, Json] = {LOG: self.batches}
        if changed:
            moved[part] = self.handed_out[part] = changed[-1][0]
        return Batch(
            records=[*(item.record(self.name) for item in [*old, *items]), *ghosts],
            rejects=[Unreadable(position=f"{self.name} bad {at}", raw=b"\xff", reason="not text") for at in unreadable],
            cursor=moved,
            problems=[Problem(part=part, reason="a file was skipped")] if unreadable else [],
            done=[self.batches] if self.settles else [],
        )


class Tap:
    """An open source: what one process sees of the origin."""

    def __init__(
        self, origin: Origin, alive: Callable[[], bool], on_settle: Callable[[Origin, Sequence[int]], None]
    ) -> None:
        self._origin = origin
        self._alive = alive
        self._on_settle = on_settle
        self.bell = asyncio.Event()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Source]:
        yield self

    async def fetch(self, cursor: Cursor) -> Batch | None:
        self._live()
        await asyncio.sleep(0)
        if self._origin.troubles:
            raise self._origin.troubles.pop(0)
        return self._origin.news(cursor)

    async def wait(self) -> None:
        await self.bell.wait()
        self.bell.clear()

    def _live(self) -> None:
        if not self._alive():
            raise asyncio.CancelledError


class SettlingTap(Tap):
    """One whose source settles."""

    async def settle(self, done: Sequence[Json]) -> None:
        self._live()
        await asyncio.sleep(0)
        numbers = [int(str(item)) for item in done]
        self._on_settle(self._origin, numbers)
        if self._origin.settle_troubles:
            raise self._origin.settle_troubles.pop(0)
        self._origin.settled.update(numbers)


def tap(origin: Origin, alive: Callable[[], bool], on_settle: Callable[[Origin, Sequence[int]], None]) -> Tap:
    """An open source over that origin."""
    return (SettlingTap if origin.settles else Tap)(origin, alive, on_settle)


def fold(wanted: dict[str, Item], batch: Served) -> None:
    """What should be wanted after that batch: the newest that passed, per key; never an older revision over a newer."""
    for item in batch.items:
        if item.kind != "good":
            continue
        old = wanted.get(item.key)
        if old is not None and None not in (old.revision, item.revision) and item.revision < old.revision:  # type: ignore[operator]  # neither is None
            continue
        wanted[item.key] = item


def standing(batches: Sequence[Served]) -> Mapping[str, str]:
    """Key → kind of what came last under it."""
    return {item.key: item.kind for batch in batches for item in batch.items}
