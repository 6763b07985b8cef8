"""The copies of the ledger that lie in folders: their names, which is the newest, and which are too old."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

STAMP = "%Y%m%dT%H%M%SZ"
PATTERN = re.compile(r"ledger-(\d{8}T\d{6}Z)\.sqlite3")
NEWEST = "newest-backup"
"""A file in the state folder that names the newest copy, for when the ledger itself cannot tell any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A good copy. ``at`` is when it was begun, ``size`` is in bytes."""

    path: Path
    at: datetime
    size: int


def named(folder: Path, at: datetime) -> Path:
    """The path of a copy that is begun now."""
    return folder / f"ledger-{at.astimezone(UTC):{STAMP}}.sqlite3"


def in_folder(folder: Path) -> Sequence[Backup]:
    """The copies in a folder, oldest first; none where there is no folder."""
    try:
        return sorted(_found(folder), key=lambda each: each.at)
    except OSError:
        return []


def prune(folder: Path, keep: int) -> None:
    """Delete all but the newest ``keep`` (at least 1), and what a kill left half-made; nothing else is touched."""
    for old in in_folder(folder)[:-keep]:
        old.path.unlink(missing_ok=True)
    for part in folder.glob(".ledger-*Z.sqlite3.part*"):
        part.unlink(missing_ok=True)


def note(file: Path, newest: Path) -> None:
    """Write down which copy of the ledger ``file`` is the newest."""
    fresh = file.with_name(f"{NEWEST}.new")
    fresh.write_text(f"{newest.absolute()}\n", encoding="utf-8")
    fresh.chmod(0o600)
    fresh.replace(file.with_name(NEWEST))


def newest(file: Path) -> Path | None:
    """The newest copy of the ledger ``file`` that its own folder knows of."""
    return max(beside(file), key=lambda path: path.stat().st_mtime, default=None)


def beside(file: Path) -> Sequence[Path]:
    """The copies of the ledger ``file`` that are known in its own folder: those before a migration, the noted one."""
    there = list(file.parent.glob(f"{file.name}.backup-*"))
    with contextlib.suppress(OSError, UnicodeDecodeError):
        noted = Path(file.with_name(NEWEST).read_text(encoding="utf-8").rstrip("\n"))
        there += [noted] if noted.is_file() else []
    return there


def _found(folder: Path) -> Iterator[Backup]:
    for path in folder.iterdir():
        if (name := PATTERN.fullmatch(path.name)) and path.is_file():
            at = datetime.strptime(name[1], STAMP).replace(tzinfo=UTC)
            yield Backup(path=path, at=at, size=path.stat().st_size)
