"""Whatever happens to intake, ledger and sender, in any order, the promise holds; and wrong programs are found."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from tests.faults.machine.invariants import AFTER_EACH_STEP, AT_THE_END, INVARIANTS, Invariants, snake
from tests.faults.machine.mutants import MUTANTS
from tests.faults.verdict import Verdict, count, thorough

WORKERS = 2
EXAMPLES = count(tests=30, faults=5_000)
STEPS = count(tests=50, faults=60)
MOST_FOR_A_MUTANT = 150
"""Examples in which each mutant must be found; most take fewer than ten."""


def shares(*arguments: Sequence[str]) -> list[tuple[int, str]]:
    """Run a campaign with each of these lists of arguments, side by side; how each ended, and what it said."""
    command = (sys.executable, "-W", "error", "-m", "tests.faults.machine.campaign")
    started = [
        subprocess.Popen([*command, *each], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for each in arguments
    ]
    said = [each.communicate()[0] for each in started]
    return [(each.returncode, words) for each, words in zip(started, said, strict=True)]


@pytest.mark.timeout(6 * 3600)
def test_the_promise_holds_whatever_happens() -> None:
    share = ["--examples", str(EXAMPLES // WORKERS), "--steps", str(STEPS)]
    verdict = Verdict(name="state machine")
    for number, (status, words) in enumerate(shares(*(["--seed", str(n), *share] for n in range(1, WORKERS + 1))), 1):
        counted = re.search(r"(\d+) examples, (\d+) applied", words)
        assert counted, words
        verdict.runs += int(counted[1])
        verdict.applied += int(counted[2])
        if status:
            verdict.findings.append(f"seed {number}: {words}")
    verdict.pronounce()


def todays_mutants() -> list[str]:
    """All by `make faults`; else a twentieth, others each day: all of them take minutes of processor time."""
    return list(MUTANTS) if thorough() else list(MUTANTS)[datetime.now(UTC).toordinal() % 20 :: 20]


@pytest.mark.timeout(6 * 3600)
def test_every_mutant_is_found() -> None:
    wanted, most = todays_mutants(), ["--examples", str(MOST_FOR_A_MUTANT)]
    found: dict[str, str] = {}
    for status, words in shares(*([*most, "--mutants", *wanted[n::WORKERS]] for n in range(WORKERS))):
        assert status == 0, words
        found |= dict(re.findall(r"^(\w+): (\d+ examples, .*)$", words, re.MULTILINE))
    print(*(f"{name}: {words}" for name, words in found.items()), sep="\n")
    assert found.keys() == set(wanted)
    assert not [name for name, words in found.items() if "SURVIVED" in words]


def test_every_invariant_has_its_check() -> None:
    assert set(INVARIANTS.values()) == {AFTER_EACH_STEP, AT_THE_END}
    assert all(callable(getattr(Invariants, snake(name))) for name in INVARIANTS)
