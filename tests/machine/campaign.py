"""One share of a campaign, as a process of its own: `python -m tests.machine.campaign --seed 1 --examples 500 --steps 50`."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from pytest import MonkeyPatch

from tests.machine.model import Machine
from tests.machine.mutants import MUTANTS

IN_MEMORY = Path("/dev/shm")  # noqa: S108 - where fsync costs nothing; nothing of the product changes by that


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
        Machine.prepare(folder)
        run_state_machine_as_test(seed(number)(Machine), settings=chosen)
    finally:
        shutil.rmtree(folder)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--examples", type=int, default=100)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--shrink", action="store_true")
    parser.add_argument("--mutant", choices=sorted(MUTANTS), help="be wrong in this way")
    args = parser.parse_args()
    started = time.monotonic()
    if args.mutant:
        MUTANTS[args.mutant](MonkeyPatch())
    try:
        run(number=args.seed, examples=args.examples, steps=args.steps, shrink=args.shrink)
    except Exception as error:
        print(type(error).__name__, told(error))
        return 1
    finally:
        print(f"{Machine.examples} examples, {Machine.applied} applied, {time.monotonic() - started:.1f} s")
    return 0


def told(error: BaseException) -> str:
    """What was found, and the steps that lead there."""
    steps = "\n".join(getattr(error, "__notes__", [])).splitlines()
    return "\n".join([str(error)[:3000], *(step for step in steps if "what_must_hold" not in step)])


if __name__ == "__main__":
    sys.exit(main())
