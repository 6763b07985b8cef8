"""The main job: a real export of 100,000 rows into the sandbox, exactly once, through crashes and edits."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

import pytest

from tests.e2e import export
from tests.e2e.installation import Site, site

ROWS = 100_000
EDITED = 10


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory):
    """A site whose export was taken in by one ``run --once``."""
    with site(tmp_path_factory.mktemp("export")) as made:
        made.write(sources=made.source("orders", made.drop, mapping=export.MAPPING, files=export.FILES))
        expected = export.write(made.drop / "orders.csv", rows=ROWS, seed=1)
        ended = made.run("run", "--once", check=3)
        yield made, expected, ended


@pytest.mark.timeout(600)
def test_each_good_row_is_there_once_and_each_bad_one_is_a_reject_with_line_and_reason(delivered) -> None:
    made, expected, ended = delivered
    assert set(made.sandbox.activities) == {f"order-{key}" for key in expected.good}
    assert made.sandbox.stats["puts"] == len(expected.good)
    rejects = made.json("rejects", "list", "--each", "--limit", "100000")
    assert len(rejects) == len(expected.bad)
    for line, reason in expected.bad.items():
        found = [each for each in rejects if f"line {line}" in each["position"].replace(",", " ").split("(")[0]]
        assert found, f"line {line} is not among the rejects"
        assert reason in found[0]["reason"], (line, reason, found[0])
    assert f"{len(expected.bad)} rejected" in ended.stderr
    made.balances()


def test_the_same_run_again_sends_nothing(delivered) -> None:
    made, _, _ = delivered
    before = made.sandbox.stats["puts"]
    made.run("run", "--once")
    assert made.sandbox.stats["puts"] == before


@pytest.mark.timeout(600)
def test_the_file_with_ten_rows_edited_sends_ten(delivered) -> None:
    made, expected, _ = delivered
    before = made.sandbox.stats["puts"]
    edited = export.edit(made.drop / "orders.csv", expected, count=EDITED, seed=2)
    made.run("run", "--once", check=None)
    assert made.sandbox.stats["puts"] == before + EDITED
    assert {entry["reference"] for entry in made.sandbox.log(before)} == {f"order-{key}" for key in edited}
    made.balances()


def test_with_another_receiver_it_refuses_and_says_what_to_type(delivered) -> None:
    made, _, _ = delivered
    made.write(client_id="somebody-else")
    refused = made.run("run", "--once", check=78)
    assert "cgsync doctor --new-receiver" in refused.stderr
    made.write(client_id="sandbox")
    made.run("status")


@pytest.mark.timeout(900)
def test_kill_9_at_thirty_random_instants_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    chance = random.Random(30)
    with site(tmp_path) as made:
        made.write(sources=made.source("orders", made.drop, mapping=export.MAPPING, files=export.FILES))
        expected = export.write(made.drop / "orders.csv", rows=ROWS, seed=3)
        for _ in range(30):
            _run_and_kill(made, after=chance.uniform(0.4, 2.5))
        made.run("run", "--once", check=None)
        stats = made.sandbox.stats
        assert set(made.sandbox.activities) == {f"order-{key}" for key in expected.good}
        assert stats["created"] == len(expected.good)
        assert len(made.json("rejects", "list", "--each", "--limit", "100000")) == len(expected.bad)
        made.balances()


def _run_and_kill(made: Site, *, after: float) -> None:
    process = made.start("--once")
    time.sleep(after)  # the random instant itself is what is tried here
    process.send_signal(signal.SIGKILL)
    process.wait(10)
