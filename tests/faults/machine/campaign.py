"""One share of a campaign, as a process of its own: `python -m tests.faults.machine.campaign --seed 1`."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.faults.machine.kept import keep
from tests.faults.machine.model import Machine
from tests.faults.machine.mutants import MUTANTS

IN_MEMORY = Path("/dev/shm")

FOUND = 3
"""The exit status when the machine found something; whatever else fails has Python's own."""


def run(*, number: int, examples: int, steps: int, shrink: bool) -> None:
    """Run the machine; raises what it found, with the steps that lead there."""
    phases = [Phase.generate, Phase.shrink] if shrink else [Phase.generate]
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        phases=phases,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )
    folder = Path(tempfile.mkdtemp(prefix="cgsync-machine-", dir=IN_MEMORY if IN_MEMORY.is_dir() else None))
    try:
        with pytest.MonkeyPatch.context() as patch:
            keep(patch)
            Machine.prepare(folder)
            run_state_machine_as_test(seed(number)(Machine), settings=chosen)
    finally:
        shutil.rmtree(folder)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--examples", type=int, default=100)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--mutants", nargs="*", choices=sorted(MUTANTS), help="be wrong in these ways, one by one")
    args = parser.parse_args()
    if args.mutants:
        return hunt(args.mutants, number=args.seed, examples=args.examples, steps=args.steps)
    started = time.monotonic()
    try:
        run(number=args.seed, examples=args.examples, steps=args.steps, shrink=True)
    except Exception as error:
        print(type(error).__name__, told(error))
        return FOUND
    finally:
        spent = time.monotonic() - started
        print(f"{Machine.examples} examples, {Machine.applied} applied, {spent:.1f} s")
        print(", ".join(f"{count} {what}" for what, count in sorted(Machine.happened.items())))
    return 0


def hunt(names: Sequence[str], *, number: int, examples: int, steps: int) -> int:
    """Say of each mutant how it was found, or that it was not."""
    for name in names:
        started, Machine.examples = time.monotonic(), 0
        with pytest.MonkeyPatch.context() as patch:
            MUTANTS[name](patch)
            try:
                run(number=number, examples=examples, steps=steps, shrink=False)
                word = "SURVIVED"
            except AssertionError as error:
                word = " ".join(str(error).split())[:120] or "an assertion without words"
        print(f"{name}: {Machine.examples} examples, {time.monotonic() - started:.1f} s: {word}", flush=True)
    return 0


def told(error: BaseException) -> str:
    """What was found, and the steps that lead there."""
    steps = "\n".join(getattr(error, "__notes__", [])).splitlines()
    return "\n".join([str(error)[:3000], *(step for step in steps if "what_must_hold" not in step)])


if __name__ == "__main__":
    sys.exit(main())
