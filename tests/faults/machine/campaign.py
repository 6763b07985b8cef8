"""One share of a campaign, as a process of its own: `python -m tests.faults.machine.campaign --seed 1`."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from cgsync import memory
from tests.faults.machine.kept import keep
from tests.faults.machine.model import Machine
from tests.faults.machine.mutants import MUTANTS

IN_MEMORY = Path("/dev/shm")

ROUND = 15
"""Examples of one seed in the search for a mutant."""
FOUND = 3
"""The exit status when the machine found something; whatever else fails has Python's own."""


class Found(BaseException):
    """What a hunter found; no mere exception, after which Hypothesis would run the same steps twice more."""


class Hunter(Machine):
    """Ends at its first finding."""

    @invariant()
    def what_must_hold_holds(self) -> None:
        with ending_the_hunt():
            super().what_must_hold_holds()

    def teardown(self) -> None:
        with ending_the_hunt():
            super().teardown()


@contextmanager
def ending_the_hunt() -> Iterator[None]:
    try:
        yield
    except AssertionError as error:
        raise Found(str(error)) from error


def run(machine: type[Machine], *, number: int, examples: int, steps: int) -> None:
    """Run it; raises what it found, with the steps that lead there."""
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        phases=[Phase.generate, Phase.shrink],
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
            machine.prepare(folder)
            run_state_machine_as_test(seed(number)(machine), settings=chosen)
    finally:
        shutil.rmtree(folder)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--examples", type=int, default=100)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--mutants", nargs="*", choices=sorted(MUTANTS), help="be wrong in these ways, one by one")
    args = parser.parse_args()
    memory.settle()
    if args.mutants:
        return hunt(args.mutants, number=args.seed, examples=args.examples, steps=args.steps)
    started = time.monotonic()
    try:
        run(Machine, number=args.seed, examples=args.examples, steps=args.steps)
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
        started, Hunter.examples = time.monotonic(), 0
        with pytest.MonkeyPatch.context() as patch:
            MUTANTS[name](patch)
            word = search(number=number, examples=examples, steps=steps)
        print(f"{name}: {Hunter.examples} examples, {time.monotonic() - started:.1f} s: {word}", flush=True)
    return 0


def search(*, number: int, examples: int, steps: int) -> str:
    """What was found first. Another seed now and then: Hypothesis comes to vary what it had, and seeks no more."""
    for start in range(0, examples, ROUND):
        try:
            run(Hunter, number=number + start, examples=min(ROUND, examples - start), steps=steps)
        except Found as found:
            return " ".join(str(found).split())[:120] or "an assertion without words"
    return "SURVIVED"


def told(error: BaseException) -> str:
    """What was found, and the steps that lead there."""
    steps = "\n".join(getattr(error, "__notes__", [])).splitlines()
    return "\n".join([str(error)[:3000], *(step for step in steps if "what_must_hold" not in step)])


if __name__ == "__main__":
    sys.exit(main())
