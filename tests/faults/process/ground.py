"""A site for scripted runs: a receiver in this process, a folder that is laid out anew for each run, and the judge.

The records of a run have numbers of their own, so that the receiver's log tells the runs apart. ``N+1`` to ``N+6``:

    export a   1 to 5, first version      4 is refused, 3 is applied late after a reset, the answer for 5 is lost
    export b   2 and 3, second version    read right after a, while the first ones are on their way
               6, first version
    export c   1 and 6, second version    dropped when all of that is delivered
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from cgsync.ledger import books, database
from cgsync.sandbox import Sandbox
from cgsync.sandbox.store import Entry
from cgsync.state import LEDGER
from tests.e2e.installation import Site
from tests.faults.process import script
from tests.faults.process.nursery import Nursery, nursery

STEP = 10
LATE = 0.04
"""Seconds after which an abandoned request is executed: well within the two minutes of the script's clock."""
GRACE = 120 / script.SPEED
EXPORTS: Mapping[str, Mapping[int, str]] = {
    "a.csv": {1: "v1", 2: "v1", 3: "v1", 4: "v1", 5: "v1"},
    "b.csv": {2: "v2", 3: "v2", 6: "v1"},
    "c.csv": {1: "v2", 6: "v2"},
}
NEWEST: Mapping[int, str] = {1: "v2", 2: "v2", 3: "v2", 5: "v1", 6: "v2"}
REFUSED = 4


class Ground:
    """One lane of a campaign: its receiver, its nursery, its folder."""

    def __init__(self, folder: Path, receiver: Sandbox, numbers: Iterable[int]) -> None:
        self.receiver = receiver
        self._numbers = iter(numbers)
        self._mark = 0
        self.number = 0
        folder.mkdir()
        source = Site.source(script.SOURCE, folder / "drop", files=", after: { move: archive/ }")
        self.site = Site(folder, receiver, sources=source)  # type: ignore[arg-type]  # it asks for the page only
        self.output = folder / "output"
        self.nursery: Nursery

    @property
    def folder(self) -> Path:
        return self.site.folder

    def order(self, do: str, **more: Any) -> dict[str, Any]:
        """An order for the nursery, on this ground."""
        return {"do": do, "config": str(self.site.config), "output": str(self.output), **more}

    def lay_out(self) -> None:
        """Everything as before the first run, with records that nobody saw yet."""
        self.number = next(self._numbers) * STEP
        self._mark = self.receiver.store.counters["puts"]
        for name in ("state", "drop", script.ASIDE):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        self.output.unlink(missing_ok=True)
        if (empty := self.folder / "empty").exists():
            shutil.copytree(empty, self.folder / "state")
        self.site.drop.mkdir()
        (self.folder / script.ASIDE).mkdir()
        for name, records in EXPORTS.items():
            place = self.folder / script.ASIDE if name == "c.csv" else self.site.drop
            (place / name).write_text(export(self.number, records))
        self._arm()

    def _arm(self) -> None:
        faults = self.receiver.faults
        faults.clear()
        self.arm_refusal()
        faults.add(kind="late", seconds=LATE, next=1, reference=self._reference(3))
        faults.add(kind="reset_after", next=1, reference=self._reference(5))

    def arm_refusal(self) -> None:
        """Have the receiver refuse what it refuses in each run."""
        self.receiver.faults.add(kind="status", status=422, reference=self._reference(REFUSED))

    def _reference(self, digit: int) -> str:
        return f"order-{self.number + digit}"

    @property
    def log(self) -> Sequence[Entry]:
        """What arrived since the ground was laid out."""
        return list(self.receiver.store.log(self._mark))

    def judge(self, *, ended: bool = True) -> list[str]:
        """Whatever is wrong after a run; ``ended``: it came to the end of the script."""
        log = self.log
        found = [*self._overtaken(log), *self._ledger(log, ended=ended)]
        if ended:
            found += [*self._lost(log), *self._files()]
        return found

    def _overtaken(self, log: Sequence[Entry]) -> Iterable[str]:
        """An older version applied after a newer one, by a receiver that executes nothing later than it may."""
        newest: dict[str, str] = {}
        abandoned = {(entry.reference, version(entry)): entry.at for entry in log if entry.outcome == "late"}
        for entry in log:
            if not entry.applied or entry.reference is None:
                continue
            late = entry.at - abandoned.get((entry.reference, version(entry)), entry.at)
            if version(entry) < newest.get(entry.reference, "") and late < GRACE:
                yield f"{entry.reference}: {version(entry)} was applied after {newest[entry.reference]}"
            newest[entry.reference] = version(entry)

    def _lost(self, log: Sequence[Entry]) -> Iterable[str]:
        last = {entry.reference: version(entry) for entry in log if entry.applied}
        for digit, wanted in NEWEST.items():
            if (seen := last.get(self._reference(digit))) != wanted:
                yield f"{self._reference(digit)}: {wanted} should stand at the receiver, not {seen}"
        if self._reference(REFUSED) in last:
            yield "what is refused was applied"

    def _ledger(self, log: Sequence[Entry], *, ended: bool) -> Iterable[str]:
        """The ledger against the receiver's log, by SQL of our own and by the ledger's own audit."""
        file = self.folder / "state" / LEDGER
        with closing(sqlite3.connect(f"file:{file}?mode=rw", uri=True)) as conn:
            if (said := conn.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
                yield f"the ledger is damaged: {said}"
            rows = list(conn.execute("SELECT reference, state, version, delivered_version, due FROM activity"))
            unsettled = conn.execute("SELECT count(*) FROM settlement").fetchone()[0]
            clean = conn.execute("SELECT count(*) FROM meta WHERE name = 'clean_stop'").fetchone()[0]
        applied = {(entry.reference, version(entry)) for entry in log if entry.applied}
        for reference, _, _, delivered, _ in rows:
            if delivered and (reference, f"v{delivered}") not in applied:
                yield f"{reference}: version {delivered} counts as delivered and was never applied"
        yield from self.audited(file)
        if ended:
            yield from self._settled(rows, unsettled, clean)

    def audited(self, file: Path) -> Iterable[str]:
        """Whether the books of that ledger balance."""
        engine = database.reader(file)
        with engine.connect() as conn:
            if not (audit := books.audit(conn)).ok:
                yield f"the books do not balance: {audit}"
        engine.dispose()

    def _settled(self, rows: Sequence[Any], unsettled: int, clean: int) -> Iterable[str]:
        states = {reference: (state, f"v{version}") for reference, state, version, *_ in rows}
        wanted = {self._reference(digit): ("delivered", newest) for digit, newest in NEWEST.items()}
        wanted[self._reference(REFUSED)] = ("refused", "v1")
        if states != wanted:
            yield f"the ledger says {sorted(states.items() ^ wanted.items())}"
        if unsettled:
            yield f"{unsettled} settlements are left"
        if not clean:
            yield "it did not stop cleanly"

    def _files(self) -> Iterable[str]:
        archive = self.site.drop / "archive"
        kept = {file.name: file.read_text() for file in archive.iterdir()} if archive.is_dir() else {}
        wanted = {name: export(self.number, records) for name, records in EXPORTS.items()}
        if kept != wanted:
            yield f"the archive holds {sorted(kept)}"
        if left := [file.name for file in self.site.drop.glob("*.csv")]:
            yield f"the drop folder still holds {left}"


def export(number: int, records: Mapping[int, str]) -> str:
    """A file with these records, whose notes say their versions."""
    lines = ["order_no,company,email,type,ordered_at,note,total,status"]
    lines += [
        f"{number + digit},Company {digit},c{digit}@example.com,Order,2026-03-04 10:00:00,{note},9.90,open"
        for digit, note in records.items()
    ]
    return "\n".join(lines) + "\n"


def version(entry: Entry) -> str:
    """The version that was sent."""
    note: str = json.loads(entry.body)["additional_information_object"]["note"]
    return note


@asynccontextmanager
async def ground(folder: Path, numbers: Iterable[int]) -> AsyncIterator[Ground]:
    """A ground whose nursery played the script once, without a kill. ``numbers``: one for the records of each run."""
    async with Sandbox() as receiver:
        made = Ground(folder, receiver, numbers)
        made.lay_out()
        async with nursery(made.site.config) as made.nursery:
            assert made.judge() == []
            for name in ("state", "drop"):
                shutil.rmtree(made.folder / name)
            made.site.drop.mkdir()
            assert (await made.nursery.ask(**made.order("play")))["status"] == 0, made.output.read_text()
            (made.folder / "state").rename(made.folder / "empty")
            yield made
