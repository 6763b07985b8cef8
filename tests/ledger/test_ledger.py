"""Opening and closing: one owner, its own folder, one receiver, what is committed stays."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from cgsync.errors import LedgerError, LedgerRefused, UnknownCommit
from cgsync.ledger import Instant, Ledger, adopt_receiver, books, checkpoints, outbox
from cgsync.ledger.schema import meta
from cgsync.model import Intake
from cgsync.state import LEDGER, Lock, folder, lock_holder
from tests import needs


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_the_folder_is_for_its_owner_only(ledger: Ledger) -> None:
    await ledger.write(lambda conn: None)
    state = ledger.file.parent
    assert mode(state) == 0o700
    assert {mode(file) for file in state.iterdir()} == {0o600}
    assert {file.name for file in state.iterdir()} >= {"ledger.sqlite3", "ledger.sqlite3-wal", "lock"}


def test_a_folder_that_others_may_read_is_closed_to_them(open_ledger: Callable[..., Ledger], tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o755)
    (tmp_path / "state" / "ledger.sqlite3").touch(mode=0o644)
    open_ledger()
    assert mode(tmp_path / "state") == 0o700
    assert mode(tmp_path / "state" / "ledger.sqlite3") == 0o600


@needs.root("give a folder away")
def test_the_folder_of_another_user_is_refused(open_ledger: Callable[..., Ledger], tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    os.chown(tmp_path / "state", 12345, 12345)
    with pytest.raises(LedgerError, match="belongs to user 12345"):
        open_ledger()


def test_the_file_system_is_that_of_the_deepest_mount(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "21 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
        "22 21 0:5 / /srv rw shared:1 - nfs4 server:/export rw\n"
        "23 22 8:2 / /srv/my\\040disk rw - xfs /dev/sdb1 rw\n"
    )
    kinds = [folder.filesystem(Path(path), mounts) for path in ("/var/lib", "/srv/state", "/srv/my disk/state")]
    assert kinds == ["ext4", "nfs4", "xfs"]
    assert "nfs4" in folder.NETWORK


def test_a_second_owner_is_told_who_holds_it(open_ledger: Callable[..., Ledger]) -> None:
    open_ledger()
    with pytest.raises(LedgerError, match=f"in use by process {os.getpid()}"):
        open_ledger()


def test_the_lock_tells_where_the_holder_can_be_spoken_to(open_ledger: Callable[..., Ledger], tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert lock_holder(state) is None
    assert not state.exists(), "asking creates nothing"
    ledger = open_ledger()
    ledger.announce(Path("/run/cgsync/control.sock"), Path("/etc/cgsync/config.yaml"))
    holder = lock_holder(state)
    assert holder is not None
    assert (holder.pid, holder.control) == (os.getpid(), Path("/run/cgsync/control.sock"))
    assert holder.config == Path("/etc/cgsync/config.yaml")
    ledger.close()
    assert lock_holder(state) is None


def test_the_lock_is_gone_with_the_process_that_held_it(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from cgsync.state import Lock; "
        "held = Lock(Path(sys.argv[1])); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    Lock(tmp_path).release()


async def test_every_commit_waits_for_the_disk(ledger: Ledger) -> None:
    def pragmas(conn: Any) -> tuple[Any, Any]:
        names = ("synchronous", "journal_mode")
        return tuple(conn.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in names)

    assert await ledger.write(pragmas) == (2, "wal")  # 2 is FULL


async def test_the_reader_cannot_write(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="read-only"):
        await ledger.read(lambda conn: conn.exec_driver_sql("DELETE FROM activity"))


async def test_what_was_written_is_there_for_the_next_reader_and_after_a_restart(
    open_ledger: Callable[..., Ledger], clock: Any
) -> None:
    ledger = open_ledger()
    intake = Intake(source="s", read=0, mapped=[], cursor={"part": 1})
    await ledger.write(partial(outbox.store, intake=intake, now=Instant.of(clock)))
    assert await ledger.read(partial(checkpoints.load, source="s")) == {"part": 1}
    ledger.close(clean=True)
    assert await open_ledger().read(partial(checkpoints.load, source="s")) == {"part": 1}


async def test_a_closed_ledger_takes_nothing(ledger: Ledger) -> None:
    ledger.close()
    ledger.close()
    for attempt in (ledger.write, ledger.read):
        with pytest.raises(LedgerError, match="closed"):
            await attempt(lambda conn: None)


@pytest.mark.parametrize(("clean", "marked"), [(True, True), (False, False)])
def test_only_a_clean_stop_says_so(
    open_ledger: Callable[..., Ledger], tmp_path: Path, clean: bool, marked: bool
) -> None:
    open_ledger().close(clean=clean)
    with sqlite3.connect(tmp_path / "state" / "ledger.sqlite3") as link:
        assert bool(link.execute("SELECT 1 FROM meta WHERE name = 'clean_stop'").fetchone()) is marked
    link.close()


async def test_the_word_of_a_clean_stop_does_not_outlive_the_start(open_ledger: Callable[..., Ledger]) -> None:
    open_ledger().close(clean=True)
    ledger = open_ledger()
    assert await ledger.read(lambda conn: conn.execute(select(meta.c.name)).scalars().all()) == [
        "receiver",
        "written_by",
    ]


def test_a_closed_ledger_is_one_file(open_ledger: Callable[..., Ledger], tmp_path: Path) -> None:
    open_ledger().close()
    assert {file.name for file in (tmp_path / "state").iterdir()} == {"ledger.sqlite3", "lock"}


def test_a_damaged_file_is_refused_and_left_alone(open_ledger: Callable[..., Ledger], tmp_path: Path) -> None:
    file = tmp_path / "state" / "ledger.sqlite3"
    file.parent.mkdir(mode=0o700)
    file.write_bytes(b"this was a ledger once" * 500)
    with pytest.raises(LedgerError, match=r"not a database.*backup"):
        open_ledger()
    assert file.read_bytes().startswith(b"this was a ledger once")


@pytest.mark.parametrize("remains", [None, b""])
def test_a_file_that_vanished_beside_its_log_is_not_made_anew(
    open_ledger: Callable[..., Ledger], tmp_path: Path, remains: bytes | None
) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (state / "ledger.sqlite3-wal").write_bytes(b"frames")
    if remains is not None:
        (state / "ledger.sqlite3").write_bytes(remains)
    with pytest.raises(LedgerError, match="its log is still there"):
        open_ledger()


def test_another_programs_database_is_refused(open_ledger: Callable[..., Ledger], tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    link = sqlite3.connect(state / "ledger.sqlite3")
    link.execute("CREATE TABLE theirs (id INTEGER)")
    link.close()
    with pytest.raises(LedgerError, match="not a ledger of cgsync"):
        open_ledger()


def test_what_was_refused_lets_go_of_the_lock(open_ledger: Callable[..., Ledger], tmp_path: Path) -> None:
    open_ledger().close()
    with pytest.raises(LedgerRefused):
        open_ledger(receiver="another")
    assert lock_holder(tmp_path / "state") is None


def test_the_ledger_of_another_receiver_is_refused_with_the_command_to_run(open_ledger: Callable[..., Ledger]) -> None:
    open_ledger(receiver="https://sandbox as me").close()
    with pytest.raises(LedgerRefused, match=r"https://sandbox as me.*doctor --new-receiver resend"):
        open_ledger(receiver="https://production as me")


@pytest.mark.parametrize(("resend", "queued"), [(True, 2), (False, 0)])
async def test_a_new_receiver_gets_everything_again_or_is_taken_to_have_it(
    open_ledger: Callable[..., Ledger], open_desk: Any, clock: Any, tmp_path: Path, resend: bool, queued: int
) -> None:
    ledger = open_ledger(receiver="old")
    with open_desk() as desk:
        intake = Intake(source="s", read=2, mapped=[desk.record("a"), desk.record("b")], mapping_version="m1")
    stored = await ledger.write(partial(outbox.store, intake=intake, now=Instant.of(clock)))
    from datetime import timedelta

    from cgsync.model import Delivered, Result

    results = [Result(due=due, outcome=Delivered(status=200)) for due in stored.due]
    await ledger.write(
        partial(outbox.settle, results=results, now=Instant.of(clock), settle_time=timedelta(seconds=120))
    )
    ledger.close(clean=True)

    adopted = adopt_receiver(tmp_path / "state", "new", resend=resend)
    assert (adopted.previous, adopted.queued, adopted.without_body) == ("old", queued, 0)
    ledger = open_ledger(receiver="new")
    assert len(await ledger.read(partial(outbox.due, now=Instant.of(clock), limit=10))) == queued
    assert (await ledger.read(books.audit)).ok


def test_adopting_a_receiver_needs_the_ledger_for_itself(open_ledger: Callable[..., Ledger], tmp_path: Path) -> None:
    open_ledger()
    with pytest.raises(LedgerError, match="in use"):
        adopt_receiver(tmp_path / "state", "new", resend=False)


def test_adopting_makes_no_ledger_where_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(LedgerRefused, match="no ledger"):
        adopt_receiver(tmp_path / "state", "new", resend=False)
    assert not (tmp_path / "state").exists()


FILL = """
import asyncio, resource, signal, sys
from pathlib import Path
from cgsync.clock import SystemClock
from cgsync.errors import LedgerError, UnknownCommit
from cgsync.ledger import Ledger

async def main():
    ledger = Ledger.open(Path(sys.argv[1]), receiver="r", clock=SystemClock())
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
    fill = "INSERT INTO meta VALUES (hex(randomblob(8)), hex(randomblob(20000)))"
    for _ in range(50):
        try:
            await ledger.write(lambda conn: conn.exec_driver_sql(fill))
        except UnknownCommit as error:
            print(error)
            break
    try:
        await ledger.write(lambda conn: None)
    except UnknownCommit:
        print("and every later one")
    ledger.close(clean=True)

asyncio.run(main())
"""


def test_a_commit_that_the_disk_refuses_ends_all_writing(tmp_path: Path) -> None:
    """Nobody knows whether it was kept, so going on would overwrite it."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FILL, str(tmp_path / "state")], capture_output=True, text=True, check=True
    )
    first, second = done.stdout.splitlines()
    assert "at the commit: nobody knows whether it was kept" in first
    assert second == "and every later one"
    assert UnknownCommit.exit_status == 75
    link = sqlite3.connect(tmp_path / "state" / LEDGER)
    assert not link.execute("SELECT 1 FROM meta WHERE name = 'clean_stop'").fetchone()
    link.close()
