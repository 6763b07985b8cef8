"""The power goes at any moment of the real ledger's writing; whatever a commit acknowledged is there afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from cgsync.clock import SystemClock
from cgsync.ledger import Ledger, database
from cgsync.state import LEDGER
from tests import needs
from tests.faults.process.power import STRACE, Event, read_recording, replay
from tests.faults.verdict import Verdict, count
from tests.ledger.test_kill import PROCESS, Promise

pytestmark = needs.program("strace")

CUTS = count(tests=1_000, faults=30_000)
LINES = 500
"""Acknowledgements that are recorded: enough for the log to be taken into the file several times."""
FILES = (LEDGER, f"{LEDGER}-wal")
WRITE = """
import runpy, sys
from cgsync.ledger import database
sys.path.insert(0, {folder!r})
database.WRITER = tuple(pragma.replace("FULL", {synchronous!r}) for pragma in database.WRITER)
database.WRITER += ("PRAGMA wal_autocheckpoint = 200",)
sys.argv = ["writer", {state!r}, "1"]
runpy.run_path({program!r}, run_name="__main__")
"""


def record(folder: Path, synchronous: str = "FULL") -> tuple[list[Event], dict[str, bytearray]]:
    """The writing of the real ledger under the real SQLite, and the files before it."""
    state, trace = folder / "state", folder / "trace"
    Ledger.open(state, receiver="r", clock=SystemClock()).close()
    base = {LEDGER: bytearray((state / LEDGER).read_bytes())}
    code = WRITE.format(folder=str(PROCESS.parent), synchronous=synchronous, state=str(state), program=str(PROCESS))
    command = [*STRACE, "-o", str(trace), sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        for _ in range(LINES):
            assert process.stdout.readline()
        os.killpg(process.pid, signal.SIGKILL)  # strace alone would leave the other one running
    return list(read_recording(trace, FILES)), base


class Judge:
    """Opens what a cut left, and asks for everything that was acknowledged."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._folder.mkdir()
        self.cuts = 0
        self.acknowledged = 0

    def __call__(self, files: dict[str, bytearray], said: list[str]) -> Iterable[str]:
        self.cuts += 1
        promise = Promise()
        promise.hear(said)
        self.acknowledged = max(self.acknowledged, len(promise.delivered) + sum(promise.batches.values()) * 5)
        for old in self._folder.iterdir():
            old.unlink()
        for name, content in files.items():
            (self._folder / name).write_bytes(content)
        try:
            self._ask(promise)
        except Exception as error:
            yield f"{type(error).__name__}: {str(error).splitlines()[0][:200]}"

    def _ask(self, promise: Promise) -> None:
        engine = database.writer(self._folder / LEDGER)
        try:
            with engine.connect() as conn:
                assert conn.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok", "it is damaged"
                if promise.batches != {"a": 0, "b": 0, "c": 0}:
                    promise.kept(conn)
        finally:
            engine.dispose()


@pytest.mark.timeout(6 * 3600)
def test_a_power_cut_at_any_moment_takes_back_no_commit(tmp_path: Path) -> None:
    events, base = record(tmp_path)
    judge = Judge(tmp_path / "found")
    findings = list(replay(events, base, CUTS, 1, judge))
    verdict = Verdict(name="power cuts", runs=judge.cuts, applied=judge.acknowledged, findings=findings)
    verdict.more = {"recorded events": len(events)}
    verdict.pronounce()


@pytest.mark.parametrize("synchronous", ["OFF", "NORMAL"])
def test_a_ledger_that_does_not_sync_is_found_out(tmp_path: Path, synchronous: str) -> None:
    events, base = record(tmp_path, synchronous)
    assert list(replay(events, base, 100, 2, Judge(tmp_path / "found"))), "the cuts cut nothing"
