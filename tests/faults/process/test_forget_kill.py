"""`cgsync forget` is killed at many instants, most of them while the ledger is written anew: it is sound and whole
afterwards, and forgetting can be repeated.
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cgsync.ledger import books, database
from cgsync.state import LEDGER
from tests.e2e.installation import Site, environment, orders
from tests.e2e.installation import site as made
from tests.e2e.launching import forked
from tests.e2e.test_forget import ANNA, hers, holding
from tests.faults.verdict import count

KILLS = count(tests=3, faults=60)
OTHERS = 1_000
LONG = "a long story " * 200


class Office:
    """A site whose ledger holds a person among others, and a copy of its state to begin from each time."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.state = site.folder / "state"
        self.file = self.state / LEDGER
        self.log = self.state / f"{LEDGER}-wal"
        site.put("a.csv", orders(OTHERS, note=LONG) + hers())
        site.run("run", "--once", check=3)
        shutil.copytree(self.state, site.folder / "before")
        self.size = self.file.stat().st_size

    def begin_anew(self) -> None:
        shutil.rmtree(self.state)
        shutil.copytree(self.site.folder / "before", self.state)

    def forget(self, chance: random.Random) -> int:
        """Type the command and kill it once its log has come to some length; the exit status."""
        length, delay = chance.uniform(0, self.size), chance.choice((0, chance.uniform(0, 0.05)))
        command = ["-c", str(self.site.config), "forget", ANNA]
        with Path(os.devnull).open("w") as nothing:
            process = self.site.launch(command, stdout=nothing, stderr=nothing, env=environment())
        while process.poll() is None and not (self.log.exists() and self.log.stat().st_size > length):
            time.sleep(0.0005)  # a log of files tells nobody that it grew
        time.sleep(delay)  # while it makes the copy that goes into the log
        process.kill()
        return process.wait()

    def judge(self) -> set[str]:
        """Find the ledger sound, its books even and all of the others in it; the references that are left of hers."""
        with closing(sqlite3.connect(self.file)) as conn:
            assert conn.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            there = {reference for (reference,) in conn.execute("SELECT reference FROM activity")}
            bodies = conn.execute("SELECT count(*) FROM payload WHERE length(body) > 2000").fetchone()[0]
        engine = database.reader(self.file)
        with engine.connect() as conn:
            assert books.audit(conn).ok
        engine.dispose()
        others = {f"order-{number}" for number in range(OTHERS)}
        assert others <= there
        assert bodies == OTHERS
        return there - others


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with made(tmp_path, launch=forked) as site:
        yield Office(site)


@pytest.mark.timeout(3600)
def test_a_killed_forget_loses_nothing_and_can_be_repeated(office: Office) -> None:
    in_the_middle = 0
    for seed in range(KILLS):
        office.begin_anew()
        status = office.forget(random.Random(seed))
        in_the_middle += status < 0
        office.judge()
        office.site.run("forget", ANNA)
        assert office.judge() == set(), f"seed {seed}"
        assert holding(office.state, ANNA) == {}, f"seed {seed}"
    assert in_the_middle >= KILLS / 2
