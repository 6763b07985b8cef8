"""The disk of the ledger is looked at before it is full."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cgsync.ledger.room import Disk, MiB, Room
from tests import needs

pytestmark = needs.root("mount a small disk")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 16 MiB."""
    where = tmp_path / "disk"
    where.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", where], check=True)
    yield where
    subprocess.run(["umount", "--lazy", where], check=True)


def fill(disk: Path, size: int) -> None:
    (disk / "filler").write_bytes(bytes(size))


def test_reading_waits_first_and_sending_later_and_both_go_on_with_a_little_more(disk: Path) -> None:
    looked = Disk(disk, 8 * MiB)
    assert looked.look().room is Room.AMPLE
    fill(disk, 9 * MiB)
    seen = looked.look()
    assert seen.room is Room.SCARCE
    assert "7.0 MiB left, so reading waits" in seen.words
    assert seen.hint
    fill(disk, 15 * MiB)
    assert looked.look().room is Room.NONE
    assert "reading and sending wait" in looked.look().words
    fill(disk, 14 * MiB - MiB // 10)
    assert looked.look().room is Room.NONE, "a little more is not enough, else it would go back and forth"
    fill(disk, 8 * MiB - MiB // 10)
    assert looked.look().room is Room.SCARCE
    fill(disk, 0)
    assert looked.look().room is Room.AMPLE
    assert looked.look().words == ""


def test_a_disk_that_was_made_read_only_takes_nothing(disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    seen = Disk(disk, MiB).look()
    assert seen.room is Room.NONE
    assert "read-only" in seen.words


def test_a_folder_that_is_gone_takes_nothing(tmp_path: Path) -> None:
    assert Disk(tmp_path / "gone", MiB).look().room is Room.NONE
