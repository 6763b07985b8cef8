"""The main job: a real export into the sandbox, exactly once, through crashes and edits. `make faults` has more."""

from __future__ import annotations

import json
import random
import re
import signal
import time
from pathlib import Path

import pytest

from tests.e2e import export
from tests.e2e.installation import Site, site
from tests.e2e.launching import forked
from tests.faults.verdict import count

ROWS = count(tests=5_000, faults=100_000)
KILLS = count(tests=4, faults=30)
EDITED = 10

MAPPING = """
    as: ticket
    activity:
      reference: "ticket-{{ ticket.ticket_no }}"
      account: "{{ ticket.account }}"
      contact: "{{ ticket.email }}"
      type: "{{ ticket.type }}"
      source: Help desk export
      happened_at: "{{ ticket.created_at }}"
      additional_information_object:
        subject: "{{ ticket.subject }}"
        description: "{{ ticket.description }}"
        status: "{{ ticket.status }}"
        amount: "{{ ticket.amount }}"
"""

WORDS = {
    "ragged": "column",
    "stray quote": "quote",
    "open quote": "quote",
    "wrong bytes": "utf-8",
    "impossible date": "happened_at",
    "missing account": "account",
    "long type": "type",
}
"""What the reason of each sort of bad row speaks of."""


def prepare(made: Site) -> None:
    source = made.source("tickets", made.drop, mapping=MAPPING).replace("key: order_no", "key: ticket_no")
    made.write(sources=source)


def references(expected: export.Expected) -> set[str]:
    return {f"ticket-{number}" for number in expected.good}


def rejects(made: Site) -> dict[int, str]:
    """Line → what was wrong with it."""
    listed = made.json("rejects", "list", "--each", "--limit", "100000")
    return {int(re.search(r"line (\d+)", each["position"])[1]): str(each["reasons"]) for each in listed}


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory):
    """A site whose export was taken in by one ``run --once``."""
    with site(tmp_path_factory.mktemp("export"), launch=forked) as made:
        prepare(made)
        expected = export.write(made.drop / "tickets.csv", rows=ROWS, seed=1)
        ended = made.run("run", "--once", check=3)
        yield made, expected, ended


@pytest.mark.timeout(600)
def test_each_good_row_is_there_once_and_each_bad_one_is_a_reject_with_line_and_reason(delivered) -> None:
    made, expected, ended = delivered
    assert set(made.sandbox.activities) == references(expected)
    assert made.sandbox.stats["puts"] == len(expected.good)
    found = rejects(made)
    assert set(found) == set(expected.bad)
    for line, bad in expected.bad.items():
        assert WORDS[bad.sort] in found[line], (line, bad, found[line])
    assert f"{len(expected.bad)} rejected" in ended.stderr
    made.balances()


def test_what_arrived_is_what_stood_in_the_row(delivered) -> None:
    made, expected, _ = delivered
    arrived = made.sandbox.activities
    for number, row in expected.good.items():
        values = dict(zip(export.HEADER, row, strict=True))
        body = json.loads(arrived[f"ticket-{number}"]["body"])
        assert body["account"] == values["account"]
        assert body["happened_at"] == values["created_at"]
        assert body.get("contact", "") == values["email"]
        assert body["additional_information_object"].get("description", "") == values["description"]


def test_the_same_run_again_sends_nothing(delivered) -> None:
    made, _, _ = delivered
    before = made.sandbox.stats["puts"]
    made.run("run", "--once")
    assert made.sandbox.stats["puts"] == before


@pytest.mark.timeout(600)
def test_the_file_with_ten_rows_edited_sends_ten(delivered) -> None:
    made, expected, _ = delivered
    before = made.sandbox.stats["puts"]
    edited = edit(made.drop / "tickets.csv", random.Random(2).sample(sorted(expected.good), EDITED))
    made.run("run", "--once", check=None)
    assert {entry["reference"] for entry in made.sandbox.log(before)} == {f"ticket-{number}" for number in edited}
    assert made.sandbox.stats["puts"] == before + EDITED
    made.balances()


def edit(path: Path, numbers: list[str]) -> list[str]:
    """Close these tickets in the file, byte by byte the same otherwise; renamed in, as an exporting system does."""
    content = path.read_bytes()
    for number in numbers:
        content = re.sub(rb"(?m)^%b,([^,]*)," % number.encode(), rb"%b,2029-01-01 00:00:00," % number.encode(), content)
    aside = path.with_name(".tickets.part")
    aside.write_bytes(content)
    aside.rename(path)
    return numbers


def test_with_another_receiver_it_refuses_and_says_what_to_type(delivered) -> None:
    made, _, _ = delivered
    made.write(client_id="somebody-else")
    refused = made.run("run", "--once", check=78)
    assert "cgsync doctor --new-receiver" in refused.stderr
    made.write(client_id="sandbox")
    made.run("status")


@pytest.mark.timeout(900)
def test_kill_9_at_random_instants_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    chance = random.Random(30)
    with site(tmp_path, launch=forked) as made:
        # so slow that no kill comes too late
        made.options = "rate_limit: 2500/s\n  concurrency: 32"
        prepare(made)
        expected = export.write(made.drop / "tickets.csv", rows=ROWS, seed=3)
        for _ in range(KILLS):
            _run_and_kill(made, after=chance.uniform(0.3, 1.9))
        made.run("run", "--once", check=None)
        stats = made.sandbox.stats
        assert set(made.sandbox.activities) == references(expected)
        assert stats["created"] == len(expected.good)
        assert set(rejects(made)) == set(expected.bad)
        made.balances()


def _run_and_kill(made: Site, *, after: float) -> None:
    process = made.start("--once")
    time.sleep(after)  # the random instant itself is what is tried here
    assert process.poll() is None, made.said()
    process.send_signal(signal.SIGKILL)
    process.wait(10)
