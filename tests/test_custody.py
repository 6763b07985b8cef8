"""The ledger in good hands: a full disk halts the sending, copies are made when one is due, long work can be left."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cgsync.config import BackupConfig
from cgsync.custody import Abandoned, Custody, NoCopy, aside
from cgsync.ledger.room import Room
from tests.rig import Rig, eventually, rig

DAY = timedelta(days=1)
ENDLESS = 1 << 60
"""More bytes than any disk has: with such a reserve it is full."""


class Halted:
    """A sender that is told to halt."""

    def __init__(self) -> None:
        self.causes: dict[str, str] = {}

    def halt(self, cause: str, words: str, hint: str) -> None:
        self.causes[cause] = words

    def go_on(self, cause: str) -> None:
        self.causes.pop(cause, None)


class Vault:
    """Custody of a real ledger, with copies that can be switched off."""

    def __init__(self, rig: Rig, folder: Path) -> None:
        self.rig, self.sender = rig, Halted()
        rig.clock.wall = datetime.now(UTC) + timedelta(minutes=1)  # copies are named by the time of the machine
        self.folder = folder
        self.wanted: BackupConfig | None = BackupConfig(folder=folder, every=DAY, keep=2)
        self.custody = Custody(
            rig.ledger, wanted=lambda: self.wanted, sender=lambda: self.sender, clock=rig.clock, log=rig.log
        )

    @property
    def copies(self) -> int:
        return len(list(self.folder.glob("*"))) if self.folder.is_dir() else 0

    def said(self) -> list[str]:
        return [line.event for line in self.rig.log.lines]


@asynccontextmanager
async def vault(folder: Path) -> AsyncIterator[Vault]:
    async with rig(folder) as made:
        yield Vault(made, folder / "copies")


async def test_a_disk_with_room_halts_nothing_and_is_no_news(tmp_path: Path) -> None:
    async with vault(tmp_path) as v:
        v.rig.ledger.disk.reserve = 0
        assert (await v.custody.look()).room is Room.AMPLE
        assert (v.sender.causes, v.said()) == ({}, [])


async def test_a_full_disk_halts_the_sending_says_so_once_and_lets_it_go_on_by_itself(tmp_path: Path) -> None:
    async with vault(tmp_path) as v:
        v.rig.ledger.disk.reserve = ENDLESS
        for _ in range(3):
            assert (await v.custody.look()).room is Room.NONE
        assert "reading and sending wait" in v.sender.causes["disk"]
        assert v.said() == ["the disk is nearly full"]
        v.rig.ledger.disk.reserve = 0
        await v.custody.look()
        assert (v.sender.causes, v.said()[1:]) == ({}, ["the disk has room again"])


async def test_a_copy_is_made_when_there_is_none_and_then_when_the_newest_is_old_enough(tmp_path: Path) -> None:
    async with vault(tmp_path) as v:
        v.rig.ledger.disk.reserve = 0
        await v.custody.back_up_when_due()
        await v.custody.back_up_when_due()
        assert v.copies == 1
        v.rig.clock.wall += DAY
        await v.custody.back_up_when_due()
        assert v.said() == ["backed up", "backed up"]
        assert v.custody.copies.newest is not None


async def test_a_copy_from_the_future_does_not_keep_the_next_from_being_made(tmp_path: Path) -> None:
    """The clock was wrong when it was made."""
    async with vault(tmp_path) as v:
        v.rig.ledger.disk.reserve = 0
        await v.custody.back_up_when_due()
        v.rig.clock.wall -= 30 * DAY
        await v.custody.back_up_when_due()
        assert v.said() == ["backed up", "backed up"]


async def test_without_a_wish_for_copies_none_are_made_or_looked_for(tmp_path: Path) -> None:
    async with vault(tmp_path) as v:
        v.wanted = None
        await v.custody.back_up_when_due()
        assert (v.copies, v.custody.copies.newest, v.said()) == (0, None, [])


async def test_a_copy_that_fails_is_remembered_until_one_succeeds(tmp_path: Path) -> None:
    async with vault(tmp_path) as v:
        v.rig.ledger.disk.reserve = 0
        v.folder.touch()
        await v.custody.back_up_when_due()
        failed = v.custody.copies
        assert (failed.newest, failed.failed_at) == (None, v.rig.clock.now())
        assert str(v.folder) in failed.failure
        assert v.wanted is not None
        with pytest.raises(NoCopy):
            await v.custody.back_up(v.wanted)
        v.folder.unlink()
        await v.custody.back_up_when_due()
        assert (v.custody.copies.failure, v.custody.copies.failed_at) == ("", None)


async def test_no_copy_is_made_while_there_must_be_none(tmp_path: Path) -> None:
    async with vault(tmp_path) as v:
        v.rig.ledger.disk.reserve = 0
        async with v.custody.without_copies:
            making = asyncio.create_task(v.custody.back_up_when_due())
            await asyncio.sleep(0.05)
            assert v.copies == 0
        await making
        assert v.copies == 1


# Long work in a thread of its own


async def test_the_result_of_long_work_comes_back_and_so_does_what_it_raised() -> None:
    assert await aside(lambda _: threading.current_thread().name) == "cgsync-aside"
    with pytest.raises(ZeroDivisionError):
        await aside(lambda _: 1 // 0)


async def test_who_leaves_ends_the_work_at_its_next_look() -> None:
    seen: list[str] = []
    begun = threading.Event()

    def work(proceed: object) -> None:
        begun.set()
        try:
            while True:
                os.sched_yield()
                proceed()  # type: ignore[operator]
        except Abandoned:
            seen.append("abandoned")
            raise

    waiting = asyncio.create_task(aside(work))
    await eventually(begun.is_set)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await eventually(lambda: seen == ["abandoned"])
