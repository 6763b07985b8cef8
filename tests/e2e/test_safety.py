"""What threatens the ledger is seen before it harms, is said in words, and passes by itself."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import needs
from tests.e2e.installation import Site, eventually, orders
from tests.e2e.installation import site as made
from tests.e2e.launching import forked
from tests.ports import free_port


def ask(port: int, path: str, host: str = "localhost") -> tuple[int, str]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Host": host})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def taken(port: int) -> socket.socket | None:
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError:
        return None


def figures(text: str) -> dict[str, float]:
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


def delivered(site: Site, count: int) -> bool:
    return len(site.sandbox.activities) == count and not site.ask("status")["outbox"].get("pending")


def test_metrics_tell_of_books_outbox_and_sender_and_the_verb_says_the_same(site: Site) -> None:
    port = free_port()
    site.write(top=f"web: {{ listen: '127.0.0.1:{port}' }}\n")
    site.put("a.csv", orders(20))
    site.running()
    eventually(lambda: delivered(site, 20))
    status, text = ask(port, "/metrics")
    found = figures(text)
    assert status == 200
    assert found['cgsync_books_total{entry="delivered",source="orders"}'] == 20
    assert found['cgsync_outbox{source="orders",state="pending"}'] == 0
    assert found['cgsync_sender_gate{gate="open"}'] == 1
    assert found['cgsync_source_condition{condition="idle",source="orders"}'] in (0, 1)
    assert found["cgsync_sender_puts_total"] == 20
    differences = [value for name, value in found.items() if name.startswith("cgsync_books_difference")]
    assert differences
    assert not any(differences)
    assert not [name for name in found if "Company" in name], "an account is no label"
    said = figures(site.run("metrics").stdout)
    assert said.keys() >= {name for name in found if name.startswith("cgsync_")}
    assert ask(port, "/healthz") == (200, "ok\n")
    assert ask(port, "/readyz") == (200, "ready\n")
    assert ask(port, "/metrics", host="attacker.example")[0] == 403
    assert ask(port, "/metrics", host=f"127.0.0.1:{port}")[0] == 200
    site.run("pause", "--sending")
    status, words = ask(port, "/readyz")
    assert status == 503
    assert "halted" in words


def test_a_default_port_that_is_taken_is_a_warning_and_a_chosen_one_an_error(site: Site) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        site.write(top=f"web: {{ listen: '127.0.0.1:{port}' }}\n")
        ended = site.start()
        assert ended.wait(30) == 78
        assert "cannot be listened on" in site.said()
    with eventually(lambda: taken(8787)):  # daemons of other tests have it now and then
        site.write(top="")
        site.running()
        assert "no metrics over HTTP" in site.said()


def test_without_a_daemon_the_verb_tells_what_is_stored(site: Site) -> None:
    site.put("a.csv", orders(5))
    site.run("run", "--once")
    found = figures(site.run("metrics").stdout)
    assert found['cgsync_books_total{entry="delivered",source="orders"}'] == 5
    assert not [name for name in found if name.startswith("cgsync_sender")]


def test_a_backup_of_a_running_daemon_is_sound_and_can_be_restored(site: Site) -> None:
    site.put("a.csv", orders(50))
    process = site.running()
    eventually(lambda: delivered(site, 50))
    told = site.json("backup")
    assert Path(told["file"]).parent == site.folder / "state" / "backups"
    other = site.folder / "mine.sqlite3"
    assert str(other) in site.run("backup", str(other)).stdout
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    (site.folder / "state" / "ledger.sqlite3").unlink()
    other.rename(site.folder / "state" / "ledger.sqlite3")
    assert "50 activities will be sent" in site.run("doctor", "--restored").stdout
    site.balances()


def test_a_backup_that_cannot_be_made_says_why_and_is_shown_in_status(site: Site) -> None:
    (site.folder / "blocked").touch()
    site.write(top=f"backup: {{ folder: {site.folder / 'blocked'} }}\n")
    site.running()
    failed = site.run("backup", check=74)
    assert "no backup in" in failed.stderr
    [trouble] = site.json("status")["trouble"]
    assert trouble["what"] == "backup"
    assert figures(site.run("metrics").stdout)["cgsync_backup_failed"] == 1


def test_damage_is_found_after_a_kill_and_the_newest_backup_is_named(site: Site) -> None:
    site.put("a.csv", orders(3000))
    process = site.running()
    eventually(lambda: delivered(site, 3000))
    copy = site.json("backup")["file"]
    process.kill()
    process.wait(10)
    file = site.folder / "state" / "ledger.sqlite3"
    site.json("audit")  # takes the log into the file
    with file.open("r+b") as raw:
        size = file.stat().st_size
        for page in range(size // 4096 * 3 // 4, size // 4096):
            raw.seek(page * 4096)
            raw.write(random.Random(page).randbytes(4096))
    link = subprocess.run(["python3", "-c", "import sqlite3,sys; c = sqlite3.connect(sys.argv[1]); "
        "c.execute(\"DELETE FROM meta WHERE name = 'clean_stop'\"); c.commit()", file])  # fmt: skip
    assert link.returncode == 0
    again = site.start()
    assert again.wait(60) == 74
    assert "damaged" in site.said() or "malformed" in site.said()
    assert copy in site.said()
    assert site.start().wait(60) == 74, "a restart does not go on with it"
    assert site.run("audit", check=74).stderr.count(copy) == 1


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Site]:
    """A site whose state lies on a disk of 64 MiB."""
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=0700", "tmpfs", state], check=True)
    try:
        with made(tmp_path, launch=forked, top="disk_reserve: 32 MiB\n") as site:
            yield site
    finally:
        subprocess.run(["umount", "--lazy", state], check=True)


def fill(site: Site, size: int) -> None:
    """Let something else take so much of the disk; when it grows, nothing of it is free in between."""
    with (site.folder / "state" / "filler").open("ab") as filler:
        if size:
            os.posix_fallocate(filler.fileno(), 0, size)
        filler.truncate(size)


def condition(site: Site) -> str:
    return str(site.ask("status")["sources"][0]["condition"])


def polled_in_vain(site: Site, *, times: int) -> None:
    """Wait until the source was polled so often from now on without being read: each time it is unavailable anew."""
    since: set[str] = set()

    def so_often() -> bool:
        [source] = site.ask("status")["sources"]
        if source["condition"] == "unavailable":
            since.add(source["since"])
        return len(since) > times

    eventually(so_often)


@needs.root("mount a small disk")
def test_a_disk_that_fills_up_stops_reading_then_sending_and_both_go_on_by_themselves(small: Site) -> None:
    process = small.running()
    small.put("a.csv", orders(10))
    eventually(lambda: delivered(small, 10))
    fill(small, 40 * 2**20)
    eventually(lambda: condition(small) == "unavailable")
    small.put("b.csv", orders(10, start=10))
    [trouble] = [each for each in small.json("status")["trouble"] if each["what"] == "source orders"]
    assert "reading waits" in trouble["words"]
    assert trouble["hint"]
    fill(small, 58 * 2**20)
    eventually(lambda: small.ask("status")["sender"]["state"] == "halted")
    assert "reading and sending wait" in small.json("status")["sender"]["because"]
    polled_in_vain(small, times=2)
    assert len(small.sandbox.activities) == 10
    assert process.poll() is None
    fill(small, 0)
    eventually(lambda: delivered(small, 20))
    assert condition(small) in ("idle", "polling")
    small.balances()


@needs.root("mount a small disk")
def test_a_disk_that_was_mounted_read_only_is_named_and_nothing_is_sent(small: Site) -> None:
    small.run("run", "--once")
    small.put("a.csv", orders(10))
    subprocess.run(["mount", "-o", "remount,ro", small.folder / "state"], check=True)
    process = small.start()
    assert process.wait(30) == 74
    assert "read-only" in small.said()
    assert small.sandbox.stats["puts"] == 0
    subprocess.run(["mount", "-o", "remount,rw", small.folder / "state"], check=True)
    small.running()
    eventually(lambda: delivered(small, 10))
