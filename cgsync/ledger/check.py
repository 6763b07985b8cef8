"""Whether a ledger is sound, and the note that it is not: what is damaged is neither used nor made anew."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from cgsync.ledger import trouble
from cgsync.ledger.database import uri

MARK = "damaged"
"""A file beside the ledger that keeps a restart from going on with it."""
STEPS = 10_000
"""Steps of the database's machine between two looks at whether to go on."""
MOST = 5
"""Findings that are named."""


def require_sound(file: Path, proceed: Callable[[], object] = lambda: None) -> None:
    """Read all of the file, on a connection of its own; raise :class:`LedgerDamaged` when it is not sound.

    Who writes goes on meanwhile. ``proceed`` is called now and then, and ends the check by what it raises.
    """
    if found := findings(file, proceed):
        raise trouble.damaged(file, f"the file is damaged ({found})")


def findings(file: Path, proceed: Callable[[], object] = lambda: None) -> str:
    """What is wrong with the file, in words; empty when it is sound."""
    raised: list[BaseException] = []

    def look() -> int:
        try:
            proceed()
        except BaseException as error:  # noqa: BLE001 - the database would make a mere "interrupted" of it
            raised.append(error)
        return len(raised)

    with closing(sqlite3.connect(uri(file, "ro"), uri=True)) as link:
        link.set_progress_handler(look, STEPS)
        try:
            found = [str(words) for (words,) in link.execute(f"PRAGMA quick_check({MOST})")]
        except sqlite3.DatabaseError as error:
            if raised:
                raise raised[0] from None
            if not trouble.is_damage(error):
                raise
            found = [str(error)]
    return "" if found == ["ok"] else "; ".join(" ".join(words.split()) for words in found)[:500]


def mark(file: Path, words: str) -> None:
    """Note that the ledger ``file`` is damaged."""
    with contextlib.suppress(OSError):  # a disk that takes nothing: the next check finds it again
        file.with_name(MARK).write_text(words, encoding="utf-8")


def refuse_marked(file: Path) -> None:
    """Raise :class:`LedgerDamaged` for a ledger that was found damaged, and not seen sound since."""
    with contextlib.suppress(FileNotFoundError):
        raise trouble.damaged(file, file.with_name(MARK).read_text(encoding="utf-8", errors="replace"))


def clear(file: Path) -> None:
    """Take the note away: it is sound."""
    file.with_name(MARK).unlink(missing_ok=True)
