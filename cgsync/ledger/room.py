"""How much the disk takes: the ledger must always be able to write down what became of a request."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

MiB = 2**20


class Room(IntEnum):
    """What the disk allows, from all to nothing."""

    AMPLE = 0
    SCARCE = 1
    """nothing more is taken in; what is stored is sent"""
    NONE = 2
    """nothing is sent either: its outcome could perhaps not be stored"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look at the disk saw: ``words`` and ``hint`` for people unless there is ample room."""

    room: Room
    words: str = ""
    hint: str = ""


class Disk:
    """The disk that a folder lies on. Below ``reserve`` bytes it is scarce, below a quarter of that it is full.

    What was scarce is ample again only with a tenth more, so that it does not go back and forth.
    """

    def __init__(self, folder: Path, reserve: int) -> None:
        self.folder = folder
        self.reserve = reserve
        self._last = Room.AMPLE

    @property
    def free(self) -> int:
        """Bytes that we may still write there."""
        return free(self.folder)

    def look(self) -> Look:
        try:
            info = os.statvfs(self.folder)
        except OSError as error:
            return Look(room=Room.NONE, words=f"{self.folder} cannot be looked at: {error.strerror}")
        if info.f_flag & os.ST_RDONLY:
            return Look(
                room=Room.NONE,
                words=f"the disk of {self.folder} is mounted read-only",
                hint="see `journalctl -k`; what was stored is sent once it is writable again",
            )
        left = info.f_bavail * info.f_frsize
        self._last = self._judge(left)
        return self._said(left)

    def _judge(self, left: int) -> Room:
        for room, limit in ((Room.NONE, self.reserve // 4), (Room.SCARCE, self.reserve)):
            if left < (limit if self._last < room else limit * 11 // 10):
                return room
        return Room.AMPLE

    def _said(self, left: int) -> Look:
        if self._last is Room.AMPLE:
            return Look(room=Room.AMPLE)
        waits = "reading and sending wait" if self._last is Room.NONE else "reading waits"
        return Look(
            room=self._last,
            words=f"the disk of {self.folder} has {words(left)} left, so {waits}; "
            f"{words(self.reserve)} are kept in reserve",
            hint="make room; it goes on by itself",
        )


def free(folder: Path) -> int:
    """Bytes that we may still write on the disk of ``folder``."""
    info = os.statvfs(folder)
    return info.f_bavail * info.f_frsize


def words(size: int) -> str:
    """A size for people."""
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / MiB:.1f} MiB"
