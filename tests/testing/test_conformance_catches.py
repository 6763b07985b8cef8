"""The kit finds what it is there to find: each of these sources breaks one rule."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cgsync.api import Batch, Context, Cursor, Later, Record, Secret, Source, SourceType
from cgsync.errors import PluginError
from cgsync.testing import FakeClock, MemoryLog, SourceConformance, as_opened, context
from cgsync.testing.driving import Driver

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["file"],
    "properties": {
        "file": {"type": "string"},
        "pause": {"$ref": "cgsync:duration", "default": "2s"},
        "token": {"type": "string", "x-secret": True},
    },
}


class Numbers:
    """A sound source: the lines of a file as records, two in a batch."""

    def __init__(self, options: Mapping[str, Any], context: Context) -> None:
        self.file = Path(options["file"])
        self.options = options
        self.context = context

    async def fetch(self, cursor: Cursor) -> Batch | Later | None:
        at = self.at(cursor)
        found = self.file.read_text().split()[at : at + 2]
        await asyncio.sleep(0)
        if not found:
            return None
        records = [Record(key=key, data={"key": key}, position=f"number {key}") for key in found]
        return Batch(records=records, cursor={"at": at + len(found)}, done=list(found))

    def at(self, cursor: Cursor) -> int:
        at = cursor.get("at", 0)
        assert isinstance(at, int)
        return at

    async def settle(self, done: Any) -> None:
        settled = set(self.settled.read_text().split()) if self.settled.exists() else set()
        self.settled.write_text(" ".join(sorted(settled | set(done))))

    @property
    def settled(self) -> Path:
        return self.file.with_suffix(".settled")

    async def wait(self) -> None:
        await asyncio.Event().wait()

    async def check(self) -> str:
        return "there are numbers"

    async def sample(self, n: int) -> list[Record]:
        return [Record(key=key, data={}, position=key) for key in self.file.read_text().split()[-n:]]


class Endless(Numbers):
    async def fetch(self, cursor: Cursor) -> Batch | Later | None:
        return await super().fetch(cursor) or Batch(cursor={"turn": self.at(cursor) + id(cursor)})


class Standstill(Numbers):
    async def fetch(self, cursor: Cursor) -> Batch | Later | None:
        return await super().fetch(cursor) or (None if cursor.get("x") else Batch(cursor={}))


class Forever(Numbers):
    async def fetch(self, cursor: Cursor) -> Batch | Later | None:
        return await super().fetch(cursor) or Later(after=timedelta(seconds=1))


class Remembering(Numbers):
    """Keeps its place in memory as well."""

    place = 0

    def at(self, cursor: Cursor) -> int:
        self.place += 2
        return self.place - 2


class Ahead(Remembering):
    """Its memory is right, and its cursor is one record ahead."""

    async def fetch(self, cursor: Cursor) -> Batch | Later | None:
        batch = await super().fetch(cursor)
        return Batch(records=batch.records, cursor={"at": self.place + 1}) if isinstance(batch, Batch) else batch

    def at(self, cursor: Cursor) -> int:
        self.place = (self.place or Numbers.at(self, cursor)) + 2
        return self.place - 2


class Eager(Numbers):
    async def fetch(self, cursor: Cursor) -> Batch | Later | None:
        batch = await super().fetch(cursor)
        self.settled.touch()
        return batch


class Hasty(Numbers):
    """Moves its cursor past what it has not given."""

    async def fetch(self, cursor: Cursor) -> Batch | Later | None:
        batch = await super().fetch(cursor)
        return Batch(records=batch.records[:1], cursor=batch.cursor) if isinstance(batch, Batch) else batch


class Bulky(Numbers):
    async def fetch(self, cursor: Cursor) -> Batch | Later | None:
        batch = await super().fetch(cursor)
        if isinstance(batch, Batch):
            return Batch(records=batch.records, cursor={**batch.cursor, "ballast": "x" * 70_000})
        return batch


class Talkative(Numbers):
    async def fetch(self, cursor: Cursor) -> Batch | Later | None:
        self.context.log.info("logging in", token=self.options["token"].reveal())
        return await super().fetch(cursor)


class Fragile(Numbers):
    """A cancelled fetch leaves it broken."""

    busy = False

    async def fetch(self, cursor: Cursor) -> Batch | Later | None:
        assert not self.busy
        self.busy = True
        batch = await super().fetch(cursor)
        self.busy = False
        return batch


class Strict(Numbers):
    async def settle(self, done: Any) -> None:
        if self.settled.exists() and set(done) & set(self.settled.read_text().split()):
            raise FileNotFoundError(str(done))
        await super().settle(done)


class Wordy(Numbers):
    async def check(self) -> str:
        return "there are\nnumbers"


def kind(source: type[Numbers]) -> SourceType:
    @asynccontextmanager
    async def opened(options: Mapping[str, Any], context: Context) -> AsyncIterator[Source]:
        yield source(options, context)

    return SourceType(name="numbers", options_schema=SCHEMA, sample="file: /srv/numbers", open=opened)


class TestSound(SourceConformance):
    """The sound one passes."""

    source_type = kind(Numbers)
    keys = frozenset({"1", "2", "3", "4", "5"})

    @pytest.fixture
    def options(self, tmp_path: Path) -> Mapping[str, Any]:
        (tmp_path / "numbers").write_text("1 2 3 4 5")
        return {"file": str(tmp_path / "numbers"), "token": "not-to-be-told"}


@pytest.fixture
def driver_of(tmp_path: Path) -> Callable[[type[Numbers]], Driver]:
    def build(source: type[Numbers]) -> Driver:
        (tmp_path / "numbers").write_text("1 2 3 4 5")
        options = as_opened(kind(source), {"file": str(tmp_path / "numbers"), "token": "not-to-be-told"})
        return Driver(kind=kind(source), options=options, context=context(), most_batches=50)

    return build


@pytest.mark.parametrize(
    ("source", "test"),
    [
        (Hasty, "test_it_reads_every_record"),
        (Endless, "test_it_ends"),
        (Forever, "test_it_ends"),
        (Standstill, "test_it_ends"),
        (Remembering, "test_the_same_cursor_gives_the_same_records"),
        (Ahead, "test_a_restart_loses_nothing"),
        (Bulky, "test_parts_of_the_cursor_are_small_json"),
        (Fragile, "test_it_survives_a_cancelled_fetch"),
        (Strict, "test_settle_can_be_repeated"),
        (Wordy, "test_check_tells_one_line"),
    ],
)
async def test_a_broken_rule_is_found(
    source: type[Numbers], test: str, driver_of: Callable[[type[Numbers]], Driver]
) -> None:
    with pytest.raises((AssertionError, FileNotFoundError)):
        await getattr(TestSound(), test)(driver_of(source))


async def test_a_side_effect_is_found(driver_of: Callable[[type[Numbers]], Driver], tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        await TestSound().test_fetch_has_no_side_effects(driver_of(Eager), tmp_path)


async def test_a_secret_in_the_log_is_found(driver_of: Callable[[type[Numbers]], Driver]) -> None:
    driver = driver_of(Talkative)
    assert isinstance(driver.context.log, MemoryLog)
    with pytest.raises(AssertionError):
        await TestSound().test_no_secret_is_logged(driver, driver.context.log)


async def test_a_sample_that_does_not_fit_the_schema_is_found() -> None:
    class Unsound(SourceConformance):
        source_type = SourceType(
            name="numbers", options_schema=SCHEMA, sample="files: /srv/numbers", open=kind(Numbers).open
        )

    with pytest.raises(PluginError, match="sample"):
        await Unsound().test_its_type_is_sound()


def test_options_arrive_as_the_core_hands_them_over() -> None:
    options = as_opened(kind(Numbers), {"file": "x", "token": "abc"})
    assert options == {"file": "x", "pause": timedelta(seconds=2), "token": Secret("abc")}
    with pytest.raises(TypeError):
        options["file"] = "y"


def test_options_that_the_schema_refuses_are_refused() -> None:
    with pytest.raises(ValueError, match="fil"):
        as_opened(kind(Numbers), {"fil": "x"})


async def test_time_passes_by_sleeping_only(cgsync_clock: FakeClock) -> None:
    before, then = cgsync_clock.now(), cgsync_clock.monotonic()
    await cgsync_clock.sleep(90)
    assert cgsync_clock.now() - before == timedelta(seconds=90)
    assert cgsync_clock.monotonic() - then == 90


async def test_the_fixtures_are_there(cgsync_context: Context, cgsync_log: MemoryLog) -> None:
    cgsync_context.log.warning("a word", x=1)
    await cgsync_context.secrets.put("a", "b")
    assert cgsync_context.secrets.get("a") == Secret("b")
    assert cgsync_context.secrets.get("c") is None
    assert cgsync_log.text == "warning a word {'x': 1}"
