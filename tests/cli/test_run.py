"""`run` as it is typed: a single run, a dry one, and the statuses that a timer unit looks at."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.cli.conftest import ORDERS, Office
from tests.e2e.installation import Sandbox, environment, sandbox


@pytest.fixture(scope="module")
def receiver() -> Iterator[Sandbox]:
    with sandbox() as running:
        yield running


class Counter:
    """The office with a receiver that answers; ``run`` is a process of its own, since it takes signals and logs."""

    def __init__(self, office: Office, receiver: Sandbox) -> None:
        self.office = office
        text = office.file.read_text().replace("http://127.0.0.1:9/", receiver.page)
        text = (
            text.replace("/token\n", "/oauth2/token\n")
            .replace("a-secret-value", "sandbox")
            .replace(": me", ": sandbox")
        )
        office.file.write_text(text)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cgsync", "run", *words, "-c", str(self.office.file)]
        return subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=60)


@pytest.fixture
def counter(office: Office, receiver: Sandbox) -> Counter:
    return Counter(office, receiver)


def test_a_single_run_delivers_counts_and_says_that_something_was_rejected(counter: Counter) -> None:
    ended = counter.run("--once", "--json")
    assert ended.returncode == 3, ended.stderr
    found = json.loads(ended.stdout)
    assert (found["counts"]["delivered"], found["counts"]["invalid"], found["waiting"]) == (2, 2, 0)

    again = counter.run("--once")
    assert again.returncode == 0, again.stderr
    assert "waiting  0" in again.stdout
    assert "\x1b" not in again.stdout + again.stderr


def test_a_single_run_that_cannot_deliver_ends_with_one_and_says_what_waits(counter: Counter) -> None:
    counter.office.file.write_text(
        counter.office.file.read_text().replace("client_secret: sandbox", "client_secret: wrong-one")
    )
    ended = counter.run("--once", "--json")
    assert ended.returncode == 1, ended.stderr
    found = json.loads(ended.stdout)
    assert found["waiting"] == 2
    assert found["why"]
    assert "wrong-one" not in ended.stdout + ended.stderr


def test_a_single_run_whose_source_fails_ends_with_one_and_names_it(counter: Counter) -> None:
    counter.office.plug("raise RuntimeError('a bug')")
    ended = counter.run("--once")
    assert ended.returncode == 1
    assert "orders: RuntimeError: a bug" in ended.stderr


def test_a_dry_run_shows_everything_and_leaves_nothing(counter: Counter, receiver: Sandbox) -> None:
    before = receiver.stats["puts"]
    ended = counter.run("--once", "--dry-run", "--json")
    assert ended.returncode == 3, ended.stderr
    verdicts = [json.loads(line)["verdict"] for line in ended.stdout.splitlines()]
    assert verdicts == ["activity", "activity", "invalid", "invalid"]
    assert ended.stderr == "2 activity, 2 invalid\n"
    assert receiver.stats["puts"] == before
    assert not (counter.office.folder / "state").exists()
    assert (counter.office.drop / "orders.csv").read_text(encoding="utf-8") == ORDERS


def test_a_dry_run_goes_on_from_the_stored_cursor(counter: Counter) -> None:
    counter.office.read()
    ended = counter.run("--dry-run")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "nothing new\n")
