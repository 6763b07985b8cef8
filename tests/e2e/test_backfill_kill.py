"""Backfills with the real daemon: killed in the middle they go on, send each record once, and let live ones pass."""

from __future__ import annotations

import os
import pty
import re
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing, suppress
from datetime import UTC, datetime

import pytest

from cgsync.delivery.rows import MOST_UNSETTLED
from tests.e2e.desk import BEFORE_BUSY, CONCURRENCY, DESK, MAY, arrive, busy, furnish
from tests.e2e.installation import Site, environment, eventually, orders
from tests.e2e.launching import Process


@pytest.fixture
def desk(site: Site) -> Site:
    furnish(site)
    return site


def sent(site: Site) -> list[str]:
    return [each["reference"] for each in site.sandbox.log()]


def stored(site: Site, references: set[str]) -> bool:
    with closing(sqlite3.connect(site.folder / "state" / "ledger.sqlite3")) as conn:
        return references <= {reference for (reference,) in conn.execute("SELECT reference FROM activity")}


def kill(daemon: Process) -> None:
    daemon.kill()
    daemon.wait(10)


def test_a_backfill_that_is_killed_goes_on_sends_each_record_once_and_lets_live_ones_pass(desk: Site) -> None:
    daemon = desk.running()
    desk.run("pause", "--sending")  # so that nothing is in flight when it is killed: any PUT twice would be a fault
    with busy(desk):
        begun = desk.run("backfill", "desk", "--from", "2026-05-01", "--to", "2026-06-01", "--detach").stdout
        assert begun == "backfill 1 has begun; `cgsync backfill` shows how far it is\n"
        eventually(lambda: desk.ask("backfill.show", number=1)["read"] == BEFORE_BUSY)
        kill(daemon)
    [found] = desk.json("backfill")
    assert (found["state"], found["read"]) == ("running", BEFORE_BUSY)

    desk.running()
    live = arrive(desk, *range(9_000, 9_020))
    eventually(lambda: desk.ask("status")["sources"][0]["pending"] == len(MAY) + len(live))
    done = eventually(lambda: (found := desk.ask("backfill.show", number=1))["state"] == "done" and found)
    assert (done["read"], done["stored"], done["waiting"]) == (len(MAY), len(MAY), len(MAY))
    assert sent(desk) == []
    desk.run("resume", "--sending")
    eventually(lambda: desk.ask("backfill.show", number=1)["waiting"] == 0)
    log = sent(desk)
    assert live <= set(log[: len(live) + CONCURRENCY]), "live ones were to overtake"
    assert Counter(log) == dict.fromkeys(live | MAY, 1)
    desk.balances()


def test_a_backfill_that_is_killed_while_it_is_sent_loses_nothing_and_repeats_only_what_was_on_the_wire(
    desk: Site,
) -> None:
    daemon = desk.running()
    with busy(desk):
        words = killed_while_it_sends(desk, daemon)
    assert "no daemon listens" in words or "the daemon ended before it answered" in words

    before = len(sent(desk))
    desk.run("pause", "--sending")  # until the rest is read: what is live is to overtake all of it
    desk.running()
    live = arrive(desk, *range(9_000, 9_005))
    eventually(lambda: desk.ask("backfill.show", number=1)["state"] == "done")
    eventually(lambda: stored(desk, live))
    desk.run("resume", "--sending")
    eventually(lambda: desk.ask("status")["sources"][0]["pending"] == 0)
    log = sent(desk)
    assert live <= set(log[before:][: len(live) + CONCURRENCY]), "live ones were to overtake"
    counted = Counter(log)
    assert set(counted) == live | MAY
    assert sum(counted.values()) - len(counted) <= CONCURRENCY + MOST_UNSETTLED
    desk.balances()


def killed_while_it_sends(desk: Site, daemon: Process) -> str:
    """Type a backfill that the daemon does not survive; what the command says of that."""
    command = [sys.executable, "-m", "cgsync", "-c", str(desk.config), "backfill", "desk", "--from", "2026-05-01"]
    typed = subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
    eventually(lambda: desk.sandbox.stats["applied"] >= 300)
    kill(daemon)
    _, words = typed.communicate(timeout=60)
    assert typed.returncode in {1, 69}
    return words


def on_a_terminal(site: Site, *arguments: str) -> tuple[subprocess.Popen[bytes], int]:
    """Type a command whose messages go to a terminal; the process, and where the terminal can be read."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "cgsync", "-c", str(site.config), *arguments]
    wide = environment() | {"COLUMNS": "120", "TERM": "xterm"}
    typed = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=wide)
    os.close(theirs)
    os.set_blocking(ours, False)
    return typed, ours


def shown(terminal: int, seen: list[str]) -> str:
    """All that came to the terminal so far, without colours; ``seen`` keeps it."""
    with suppress(OSError):  # nothing new, or nobody writes there any more
        seen.append(os.read(terminal, 1 << 16).decode())
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", "".join(seen))


def test_on_a_terminal_a_bar_shows_how_far_a_backfill_is_until_it_is_stopped(desk: Site) -> None:
    desk.running()
    seen: list[str] = []
    with busy(desk):
        typed, terminal = on_a_terminal(desk, "backfill", "desk", "--from", "2026-05-01")
        words = f"{BEFORE_BUSY} read, {BEFORE_BUSY} stored"
        eventually(lambda: words in shown(terminal, seen))
        eventually(lambda: f"{BEFORE_BUSY}/{BEFORE_BUSY}" in shown(terminal, seen))
        stopped = desk.run("backfill", "--stop", "1").stdout
    assert re.fullmatch(r"backfill 1 is stopped; \d+ activities of it will still be sent\n", stopped)
    output, _ = typed.communicate(timeout=60)
    os.close(terminal)
    assert typed.returncode == 1
    assert re.search(r"^state +stopped$", output.decode(), re.MULTILINE)
    assert "\x1b" not in output.decode()
    assert "sent ━" in shown(-1, seen)


def test_the_files_of_a_span_are_sent_anew_after_an_edit_of_the_mapping(site: Site) -> None:
    for name, start, changed in (("april", 0, "2026-04-30"), ("may", 100, "2026-05-31"), ("june", 200, "2026-06-01")):
        file = site.put(f"{name}.csv", orders(10, start=start))
        moment = datetime.fromisoformat(f"{changed}T12:00").replace(tzinfo=UTC).timestamp()
        os.utime(file, (moment, moment))
    site.running()
    eventually(lambda: site.sandbox.stats["applied"] == 30)
    site.write(sources=site.source("orders", site.drop).replace("source: Shop export", "source: Shop"))
    assert site.run("reload").stdout == "restarted orders\n"
    ended = site.json("backfill", "orders", "--from", "2026-05-01T00:00Z", "--to", "2026-06-01T00:00Z")
    assert (ended["state"], ended["read"], ended["stored"], ended["waiting"]) == ("done", 10, 10, 0)
    shop = {reference for reference, each in site.sandbox.activities.items() if each["source"] == "Shop"}
    assert shop == {f"order-{number}" for number in range(100, 110)}


def test_a_source_that_cannot_read_a_span_is_refused_with_what_can_be_done_instead(desk: Site) -> None:
    plugin = desk.folder / "plugins" / "desk.py"
    plugin.write_text(DESK.replace("windows=True", "windows=False"))
    daemon = desk.running()
    refused = desk.run("backfill", "desk", "--from", "2026-05-01", check=1).stderr
    assert "the plugin desk cannot read a span of time" in refused
    assert "checkpoint reset desk" in refused
    assert desk.json("backfill") == []
    daemon.send_signal(signal.SIGTERM)
