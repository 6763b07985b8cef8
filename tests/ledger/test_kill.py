"""A process that is killed at any instant has lost nothing that was acknowledged."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from cgsync.clock import SystemClock
from cgsync.ledger import Ledger, books, checkpoints, settlements
from cgsync.ledger.schema import activity
from cgsync.state import lock_holder

PROCESS = Path(__file__).with_name("writer_process.py")
KILLS = 12
SIZE = 5


def run_until_killed(state: Path, chance: random.Random) -> list[str]:
    """Run the process, kill it somewhere after its first words; what it said."""
    with subprocess.Popen(
        [sys.executable, str(PROCESS), str(state), str(chance.randrange(10**6))], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        said = [process.stdout.readline()]
        timer = threading.Timer(chance.uniform(0, 0.15), process.kill)
        timer.start()
        said += process.stdout.readlines()
        timer.cancel()
        process.kill()
    return [line.strip() for line in said if line.endswith("\n")]


class Promise:
    """What was acknowledged over all runs."""

    def __init__(self) -> None:
        self.batches = {"a": 0, "b": 0, "c": 0}
        self.delivered: dict[str, int] = {}

    def hear(self, lines: list[str]) -> None:
        for line in lines:
            word, name, number = line.split()
            known: dict[str, int] = self.batches if word == "stored" else self.delivered
            known[name] = max(known.get(name, 0), int(number))

    def kept(self, conn: Connection) -> None:
        assert books.audit(conn).ok
        for source, acknowledged in self.batches.items():
            batch: Any = checkpoints.load(conn, source).get("batch", 0)
            assert batch >= acknowledged, f"{source}: the cursor went back"
            count = conn.execute(select(func.count()).where(activity.c.source == source)).scalar_one()
            assert count == batch * SIZE, f"{source}: the cursor and the rows are of two commits"
        done = [item.value for item in settlements.pending(conn, limit=10**6)]
        batches: list[Any] = [checkpoints.load(conn, source).get("batch", 0) for source in self.batches]
        assert len(done) == sum(batches)
        rows = conn.execute(select(activity.c.key, activity.c.delivered_version))
        found = {row.key: row.delivered_version for row in rows}
        for key, version in self.delivered.items():
            assert (found[key] or 0) >= version, f"{key}: version {version} is delivered no more"


async def test_nothing_acknowledged_is_lost_by_a_kill_at_any_instant(tmp_path: Path) -> None:
    state, promise, chance = tmp_path / "state", Promise(), random.Random(7)
    for _ in range(KILLS):
        promise.hear(run_until_killed(state, chance))
        assert lock_holder(state) is None
        ledger = Ledger.open(state, receiver="r", clock=SystemClock())
        await ledger.read(promise.kept)
        ledger.close()
    assert sum(promise.batches.values()) > KILLS, "too little happened for this to prove anything"
    assert promise.delivered


def test_a_kill_during_the_first_start_leaves_nothing_in_the_way(
    tmp_path: Path, open_ledger: Callable[..., Ledger]
) -> None:
    chance = random.Random(11)
    for attempt in range(10):
        state = tmp_path / f"state{attempt}"
        code = (
            "import sys; from pathlib import Path; from cgsync.clock import SystemClock; "
            "from cgsync.ledger import Ledger; import alembic.command; print('ready', flush=True); "
            "Ledger.open(Path(sys.argv[1]), receiver='r', clock=SystemClock())"
        )
        with subprocess.Popen([sys.executable, "-c", code, str(state)], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            process.stdout.readline()
            timer = threading.Timer(chance.uniform(0, 0.08), process.kill)
            timer.start()
            process.wait()
            timer.cancel()
        Ledger.open(state, receiver="r", clock=SystemClock()).close()
