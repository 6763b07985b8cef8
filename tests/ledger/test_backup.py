"""A backup is a sound copy of one state of a ledger in use, and has its name only once it is that."""

from __future__ import annotations

import os
import random
import sqlite3
import stat
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from cgsync.errors import LedgerDamaged, LedgerError
from cgsync.ledger import Instant, Ledger, backup, books, check, copies, distrust, outbox
from cgsync.model import Intake
from tests import needs
from tests.ledger.conftest import HandClock, record


async def fill(ledger: Ledger, count: int = 300) -> None:
    mapped = [record(f"r{n}", "x" * 500) for n in range(count)]
    intake = Intake(source="s", read=count, mapped=mapped, mapping_version="m1")
    await ledger.write(partial(outbox.store, intake=intake, now=Instant.of(HandClock())))


def count(file: Path) -> int:
    with closing(sqlite3.connect(file)) as link:
        assert link.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return int(link.execute("SELECT count(*) FROM activity").fetchone()[0])


def spoil(file: Path) -> None:
    """Overwrite pages in the middle of a closed database, where tables are."""
    size = file.stat().st_size
    with file.open("r+b") as raw:
        for place in range(size // 4096 // 4, size // 4096, 3):
            raw.seek(place * 4096)
            raw.write(random.Random(place).randbytes(4096))


async def test_a_backup_holds_what_was_committed_and_is_one_file_for_its_owner(ledger: Ledger, tmp_path: Path) -> None:
    await fill(ledger)
    made = backup.back_up(ledger.file, tmp_path / "copy.sqlite3")
    assert count(made.path) == 300
    assert made.size == made.path.stat().st_size
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir() if "copy" in each.name] == ["copy.sqlite3"]


async def test_what_is_written_meanwhile_neither_disturbs_the_copy_nor_waits_for_it(
    ledger: Ledger, tmp_path: Path
) -> None:
    await fill(ledger, 5000)
    steps = 0

    def write_more() -> None:
        nonlocal steps
        steps += 1
        with closing(sqlite3.connect(ledger.file, isolation_level=None)) as other:
            other.execute("INSERT INTO meta VALUES (?, 'meanwhile')", (f"n{steps}",))

    made = backup.back_up(ledger.file, tmp_path / "copy.sqlite3", proceed=write_more)
    assert steps > 3
    with closing(sqlite3.connect(made.path)) as link:
        assert link.execute("SELECT count(*) FROM meta WHERE value = 'meanwhile'").fetchone() == (0,)
    assert count(made.path) == 5000


async def test_a_backup_that_is_given_up_leaves_nothing_behind(ledger: Ledger, tmp_path: Path) -> None:
    await fill(ledger)

    class Enough(Exception):
        pass

    def stop() -> None:
        raise Enough

    place = tmp_path / "place"
    place.mkdir()
    with pytest.raises(Enough):
        backup.back_up(ledger.file, place / "copy.sqlite3", proceed=stop)
    assert list(place.iterdir()) == []


async def test_the_folder_keeps_the_newest_copies_and_leaves_other_files_alone(ledger: Ledger, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    days = [datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 10)]
    for day in days:
        copies.named(place, day).write_bytes(b"old")
    (place / "ledger-notes.txt").touch()
    (place / ".ledger-20260101T000000Z.sqlite3.part").write_bytes(b"half of it")  # a kill left it
    made = backup.add_to(place, ledger.file, keep=3, reserve=0)
    assert [each.at for each in copies.in_folder(place)][:2] == days[-2:]
    assert copies.in_folder(place)[-1].path == made.path
    assert len(copies.in_folder(place)) == 3
    assert (place / "ledger-notes.txt").exists()
    assert not list(place.glob(".*"))
    assert copies.newest(ledger.file) == made.path


async def test_a_backup_does_not_eat_the_reserve(ledger: Ledger, tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=r"a copy takes .* are free there"):
        backup.add_to(tmp_path / "place", ledger.file, keep=3, reserve=2**60)
    assert list((tmp_path / "place").iterdir()) == []


async def test_a_backup_into_nowhere_says_where_and_why(ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LedgerError, match=r"no backup in .*file: ") as raised:
        backup.add_to(tmp_path / "file", ledger.file, keep=3, reserve=0)
    assert raised.value.hint


@contextmanager
def small_disk(where: Path, size: str) -> Iterator[Path]:
    where.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", where], check=True)
    try:
        yield where
    finally:
        subprocess.run(["umount", "--lazy", where], check=True)


@needs.root("mount a small disk")
async def test_a_disk_that_fills_up_under_the_copy_leaves_the_older_copies(ledger: Ledger, tmp_path: Path) -> None:
    await fill(ledger)
    await ledger.write(lambda conn: conn.exec_driver_sql("CREATE TABLE big AS SELECT zeroblob(3000000) AS data"))
    with small_disk(tmp_path / "disk", "2m") as disk:
        copies.named(disk, datetime(2026, 1, 1, tzinfo=UTC)).write_bytes(b"old")
        # the ledger's own log is not part of its size yet, so this is noticed only while it copies
        with pytest.raises(LedgerError, match="no backup in"):
            backup.add_to(disk, ledger.file, keep=1, reserve=0)
        assert [each.path.read_bytes() for each in copies.in_folder(disk)] == [b"old"]
        assert len(list(disk.iterdir())) == 1


async def test_a_damaged_ledger_is_found_by_its_backup_and_the_newest_good_copy_is_named(
    ledger: Ledger, tmp_path: Path
) -> None:
    await fill(ledger)
    good = backup.add_to(tmp_path / "place", ledger.file, keep=3, reserve=0)
    ledger.close()
    spoil(ledger.file)
    with pytest.raises(LedgerDamaged, match="damaged") as raised:
        backup.add_to(tmp_path / "place", ledger.file, keep=3, reserve=0)
    assert f"copy {good.path} to {ledger.file}" in raised.value.hint
    assert [each.path for each in copies.in_folder(tmp_path / "place")] == [good.path]


async def test_a_check_tells_sound_from_damaged_and_can_be_ended(ledger: Ledger) -> None:
    await fill(ledger, 2000)
    check.require_sound(ledger.file)

    def stop() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        check.require_sound(ledger.file, stop)
    ledger.close()
    spoil(ledger.file)
    with pytest.raises(LedgerDamaged, match="doctor --restored"):
        check.require_sound(ledger.file)


async def test_a_restored_copy_has_books_that_balance(ledger: Ledger, tmp_path: Path) -> None:
    await fill(ledger)
    made = backup.back_up(ledger.file, tmp_path / "copy.sqlite3")
    ledger.close()
    (tmp_path / "restored").mkdir()
    made.path.rename(tmp_path / "restored" / "ledger.sqlite3")
    restored = Ledger.open(tmp_path / "restored", receiver="r", clock=HandClock())
    try:
        assert (await restored.read(books.audit)).ok
    finally:
        restored.close()


def test_the_newest_copy_is_one_that_is_still_there(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite3"
    assert copies.newest(file) is None
    migrated = tmp_path / "ledger.sqlite3.backup-0001"
    migrated.touch()
    os.utime(migrated, (1, 1))
    noted = copies.named(tmp_path, datetime.now(UTC) - timedelta(days=1))
    noted.touch()
    copies.note(file, noted)
    assert copies.newest(file) == noted
    noted.unlink()
    assert copies.newest(file) == migrated


async def test_a_ledger_that_was_found_damaged_is_refused_until_a_sound_one_took_its_place(
    ledger: Ledger, tmp_path: Path, open_ledger: Callable[..., Ledger]
) -> None:
    await fill(ledger, 2000)
    made = backup.add_to(tmp_path / "place", ledger.file, keep=3, reserve=0)
    ledger.close()
    sound = ledger.file.read_bytes()
    spoil(ledger.file)
    check.mark(ledger.file, "the file is damaged (some page)")
    with pytest.raises(LedgerDamaged, match=r"some page.*copy .*place.*doctor --restored"):
        open_ledger()
    with pytest.raises(LedgerDamaged):
        distrust(tmp_path / "state")
    assert ledger.file.read_bytes() != sound, "what is damaged is left as it is, for a repair"
    made.path.replace(ledger.file)
    with pytest.raises(LedgerDamaged):
        open_ledger()
    assert distrust(tmp_path / "state").queued == 2000
    assert (await open_ledger().read(books.audit)).ok
