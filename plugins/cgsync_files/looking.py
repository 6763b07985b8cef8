"""A look at the folder for people: what lies there, and what its newest records are."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from cgsync.api import Clock, Record
from cgsync.formats import Malformed
from cgsync_files.folder import Folder, Found
from cgsync_files.gathering import Gathering
from cgsync_files.readiness import Gate
from cgsync_files.reading import Changed, Reading, printable
from cgsync_files.settings import Settings


def summary(folder: Folder, settings: Settings, clock: Clock) -> str:
    """One line: how many files, and the newest of them decoded."""
    scan = folder.scan()
    ready, _ = Gate(settings.readiness, clock, in_order=False).pass_through(scan.files, scan)
    count = "1 file" if len(scan.files) == 1 else f"{len(scan.files)} files"
    words = f"{count} in {printable(str(folder.path))}, {len(ready)} ready"
    if scan.special:
        words += f", {scan.special} not regular, ignored"
    if not scan.files:
        return words
    newest = max(scan.files, key=lambda found: found.stamp.mtime)
    return f"{words}; the newest, {printable(newest.path)}, {first_impression(folder, newest, settings)}"


def first_impression(folder: Folder, found: Found, settings: Settings) -> str:
    batch = Gathering(until=0)
    try:
        read(folder, found, settings, batch)
    except (Malformed, OSError) as error:
        return f"cannot be read: {error}"
    if batch.records:
        return f"begins with {', '.join(list(batch.records[0].data)[:8])}"
    return f"has no record: {batch.rejects[0].reason}" if batch.rejects else "is empty"


def first_records(folder: Folder, settings: Settings) -> Iterator[Record]:
    """Records of the newest file, then of the one before it; a file that cannot be read is passed over."""
    for found in sorted(folder.scan().files, key=lambda found: found.stamp.mtime, reverse=True):
        batch = Gathering(until=0)
        with contextlib.suppress(Malformed, OSError, Changed):
            read(folder, found, settings, batch)
        yield from batch.records


def read(folder: Folder, found: Found, settings: Settings, batch: Gathering) -> None:
    """The first records of one file."""
    reading = Reading(folder.open(found.path), found.path, settings)
    try:
        reading.start()
        reading.read_into(batch, go_on=lambda: True)
    finally:
        reading.close()
