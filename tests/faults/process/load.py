"""A daemon under load: exports with new records and edits of the latest ones, and the judge of what came of them."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterable
from contextlib import closing

from cgsync.state import LEDGER
from tests.faults.process.ground import Ground, version

FRESH = 40
EDITED = 20
HEADER = "order_no,company,email,type,ordered_at,note,total,status"


class Load:
    """Drops exports on a ground. Versions are numbers of equal length, so that they compare as text."""

    def __init__(self, ground: Ground, seed: int) -> None:
        self.ground = ground
        self.files = 0
        self._random = random.Random(seed)
        self._newest: dict[int, str] = {}
        ground.lay_out()
        ground.receiver.faults.clear()
        for file in [*ground.site.drop.iterdir(), *(ground.folder / "aside").iterdir()]:
            file.unlink()

    def drop(self) -> None:
        """One more export."""
        self.files += 1
        latest = sorted(self._newest)[-200:]
        edited = self._random.sample(latest, min(EDITED, len(latest)))
        fresh = range(len(self._newest), len(self._newest) + FRESH)
        note = f"v{self.files:06}"
        lines = [f"{key},Company,c@example.com,Order,2026-03-04 10:00:00,{note},9.90,open" for key in [*edited, *fresh]]
        self._newest.update(dict.fromkeys([*edited, *fresh], note))
        self.ground.site.put(f"{self.files:06}.csv", "\n".join([HEADER, *lines]) + "\n")

    def judge(self) -> Iterable[str]:
        """What is wrong once a run came to its end."""
        last: dict[str, str] = {}
        for entry in self.ground.log:
            if entry.applied and entry.reference is not None:
                if version(entry) < last.get(entry.reference, ""):
                    yield f"{entry.reference}: {version(entry)} was applied after {last[entry.reference]}"
                last[entry.reference] = version(entry)
        wanted = {f"order-{key}": note for key, note in self._newest.items()}
        if wrong := sorted(wanted.items() ^ last.items()):
            yield f"{len(wrong)} records do not stand at the receiver as they should: {wrong[:4]}"
        if len(archived := list((self.ground.site.drop / "archive").glob("*.csv"))) != self.files:
            yield f"{len(archived)} of {self.files} files are in the archive"
        yield from self._ledger()

    def _ledger(self) -> Iterable[str]:
        file = self.ground.folder / "state" / LEDGER
        with closing(sqlite3.connect(file)) as conn:
            if (said := conn.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
                yield f"the ledger is damaged: {said}"
            if open_rows := conn.execute("SELECT count(*) FROM activity WHERE state != 'delivered'").fetchone()[0]:
                yield f"{open_rows} rows are not delivered"
        yield from self.ground.audited(file)
