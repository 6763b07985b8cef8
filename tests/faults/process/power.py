"""Power cuts: what a process wrote and synced, recorded by strace, and the files as a cut at any moment leaves them.

The disk keeps every promise it made: what was written before a sync that returned is there. Of what came after it, any
part may be there: each write whole, in some of its sectors, or not at all, whatever the order. (The name of a file is
taken to be kept as soon as its first sync has returned; SQLite syncs the folder then.)
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

SECTOR = 512
CALLS = "pwrite64,write,ftruncate,fdatasync,fsync"
STRACE = ("strace", "-f", "-qq", "-y", "-xx", "-s", "1000000", "-e", f"trace={CALLS}")
BEGUN = re.compile(rb"(\d+) +(\w+)\((\d+)<([^>]*)>(?:, (.*))?")
RESUMED = re.compile(rb"(\d+) +<\.\.\. (\w+) resumed>.* = 0$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """``what``: write, truncate, sync of ``file``, or said, with the line in ``data``. ``at``: a place or a length."""

    what: str
    file: str = ""
    at: int = 0
    data: bytes = b""


def read_recording(trace: Path, files: Iterable[str]) -> Iterator[Event]:
    """What strace saw of these files, and of what was said on stdout, each in the order of its effect."""
    known, syncing = set(files), dict[bytes, str]()
    with trace.open("rb") as lines:
        for line in lines:
            if (ended := RESUMED.match(line.rstrip())) and ended[2] in (b"fdatasync", b"fsync"):
                yield Event(what="sync", file=syncing.pop(ended[1]))
            elif begun := BEGUN.match(line):
                task, call, handle, path, rest = begun.groups()
                name = Path(text(path).decode("utf-8", "surrogateescape")).name
                if call in (b"fdatasync", b"fsync") and name in known and b"unfinished" in line:
                    syncing[task] = name
                elif handle == b"1" or name in known:
                    yield from _event(call, handle, name, rest or line)


def _event(call: bytes, handle: bytes, name: str, rest: bytes) -> Iterator[Event]:
    if call == b"pwrite64":
        content, _, numbers = rest[1:].partition(b'", ')
        yield Event(what="write", file=name, data=text(content), at=int(re.findall(rb"\d+", numbers)[1]))
    elif call == b"write" and handle == b"1":
        yield Event(what="said", data=text(rest[1:].partition(b'"')[0]))
    elif call == b"ftruncate":
        yield Event(what="truncate", file=name, at=int(re.findall(rb"\d+", rest)[0]))
    elif call in (b"fdatasync", b"fsync") and b"= 0" in rest:
        yield Event(what="sync", file=name)


def text(escaped: bytes) -> bytes:
    """What strace -xx wrote as \\x41\\x42."""
    return bytes.fromhex(escaped.replace(b"\\x", b"").decode())


@dataclass(slots=True)
class Disk:
    """The files as they are surely kept, and what was done since to each."""

    kept: dict[str, bytearray]
    pending: dict[str, list[Event]] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        if event.what != "sync":
            self.pending.setdefault(event.file, []).append(event)
            return
        image = self.kept.setdefault(event.file, bytearray())
        for each in self.pending.pop(event.file, []):
            apply(image, each)

    def cut(self, chance: random.Random) -> dict[str, bytearray]:
        """The files as they may be found after a power cut now."""
        found = {name: bytearray(image) for name, image in self.kept.items()}
        for name, events in self.pending.items():
            fate = chance.choice((none_of, all_of, some_of, torn))
            for event in fate(events, chance):
                apply(found.setdefault(name, bytearray()), event)
        return found


def none_of(events: list[Event], chance: random.Random) -> Iterable[Event]:
    return ()


def all_of(events: list[Event], chance: random.Random) -> Iterable[Event]:
    return events


def some_of(events: list[Event], chance: random.Random) -> Iterable[Event]:
    share = chance.random()
    return (event for event in events if chance.random() < share)


def torn(events: list[Event], chance: random.Random) -> Iterator[Event]:
    """Sectors of some writes."""
    for event in events:
        for start in range(0, len(event.data) or 1, SECTOR):
            if chance.random() < 0.5:
                yield Event(
                    what=event.what, file=event.file, at=event.at + start, data=event.data[start : start + SECTOR]
                )


def apply(image: bytearray, event: Event) -> None:
    if event.what == "truncate":
        del image[event.at :]
        image.extend(bytes(event.at - len(image)))
        return
    end = event.at + len(event.data)
    image.extend(bytes(max(0, end - len(image))))
    image[event.at : end] = event.data


def replay(
    events: list[Event], base: dict[str, bytearray], cuts: int, seed: int, judge: Callable[..., Iterable[str]]
) -> Iterator[str]:
    """Cut at random moments; ``judge`` gets the files found and the lines that were said until then."""
    chance, disk, said = random.Random(seed), Disk(base), list[str]()
    moments = sorted(chance.choices(range(len(events)), k=cuts))
    for moment, event in enumerate(events):
        if event.what == "said":
            said.append(event.data.decode().strip())
        else:
            disk.take(event)
        while moments and moments[0] == moment:
            moments.pop(0)
            yield from (f"seed {seed}, cut at {moment}: {finding}" for finding in judge(disk.cut(chance), said))
