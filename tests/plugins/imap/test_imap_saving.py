"""Attachments are files before their record is stored: whole, under a name of ours, and once."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cgsync_imap.saving import files
from cgsync_imap.settings import Saving
from hypothesis import given as generated
from hypothesis import strategies as st

from cgsync.api import SourceUnavailable
from cgsync.testing.driving import Step
from tests.plugins.imap.conftest import Over
from tests.plugins.imap.mailbox import Mailbox, with_files

INVOICE = bytes(range(256)) * 40


def place(content: bytes, ending: str = "") -> str:
    digest = sha256(content).hexdigest()
    return f"{digest[:2]}/{digest}{ending}"


def saved(steps: list[Step]) -> list[Any]:
    return [each["saved"] for step in steps for record in step.batch.records for each in record.data["attachments"]]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def test_the_record_says_where_its_attachments_lie(mailbox: Mailbox, over: Over, tmp_path: Path) -> None:
    mailbox.put(with_files(("Invoice.PDF", INVOICE), ("notes", b"hello")))
    steps = await over(attachments={"save": str(tmp_path / "kept")}).reopened({})
    assert saved(steps) == [place(INVOICE, ".pdf"), place(b"hello")]
    assert contents(tmp_path / "kept") == {place(INVOICE, ".pdf"): INVOICE, place(b"hello"): b"hello"}


async def test_without_a_folder_nothing_is_saved_and_the_record_says_so(mailbox: Mailbox, over: Over) -> None:
    mailbox.put(with_files(("a.txt", b"a")))
    assert saved(await over().reopened({})) == [None]


async def test_a_large_one_is_described_only(mailbox: Mailbox, over: Over, tmp_path: Path) -> None:
    mailbox.put(with_files(("large.bin", b"x" * 3000), ("small.bin", b"y" * 2000)))
    steps = await over(attachments={"save": str(tmp_path), "largest": "2kB"}).reopened({})
    assert saved(steps) == [None, place(b"y" * 2000, ".bin")]
    assert list(contents(tmp_path)) == [place(b"y" * 2000, ".bin")]


async def test_what_comes_in_many_messages_is_one_file_that_is_never_written_again(
    mailbox: Mailbox, over: Over, tmp_path: Path
) -> None:
    options = {"attachments": {"save": str(tmp_path)}}
    mailbox.put(*(with_files(("logo.png", b"logo"), ("again.png", b"logo"), number=number) for number in range(3)))
    await over(**options).reopened({})
    (logo,) = tmp_path.rglob("*.png")
    before = logo.stat()
    assert saved(await over(**options).reopened({})) == [place(b"logo", ".png")] * 6
    assert (logo.stat().st_ino, logo.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


async def test_one_that_stands_in_the_text_is_saved_too(mailbox: Mailbox, over: Over, tmp_path: Path) -> None:
    mailbox.put(b"From: ann@acme.example\n\nHere it is.\nbegin 644 cat.txt\n#0V%T\n`\nend\n")
    await over(attachments={"save": str(tmp_path)}).reopened({})
    assert contents(tmp_path) == {place(b"Cat", ".txt"): b"Cat"}


async def test_nothing_is_saved_of_a_message_that_is_left_out(mailbox: Mailbox, over: Over, tmp_path: Path) -> None:
    mailbox.put(with_files(("a.txt", b"a"), Auto_Submitted="auto-replied"))
    (step,) = await over(attachments={"save": str(tmp_path / "kept")}).reopened({})
    assert step.batch.filtered
    assert not (tmp_path / "kept").exists()


async def test_a_preview_tells_the_name_and_saves_nothing(mailbox: Mailbox, over: Over, tmp_path: Path) -> None:
    mailbox.put(with_files(("a.txt", b"a")))
    async with over(attachments={"save": str(tmp_path / "kept")}).open() as source:
        (record,) = await source.sample(1)
    assert record.data["attachments"][0]["saved"] == place(b"a", ".txt")
    assert not (tmp_path / "kept").exists()


async def test_where_nothing_can_be_written_nothing_is_read_until_it_can(
    mailbox: Mailbox, over: Over, tmp_path: Path
) -> None:
    mailbox.put(with_files(("a.txt", b"a")))
    mount = tmp_path / "mount"
    async with over(attachments={"save": str(mount / "kept")}).open() as source:
        for attempt in (source.fetch({}), source.check()):
            with pytest.raises(
                SourceUnavailable, match=r"attachments: save: .*/kept cannot be written: .*ReadWritePaths"
            ):
                await attempt
        mount.mkdir()
        await source.check()
        batch = await source.fetch({})
    assert [record.data["uid"] for record in batch.records] == [1]
    assert contents(mount) == {f"kept/{place(b'a', '.txt')}": b"a"}


async def test_a_folder_that_is_none_is_said(mailbox: Mailbox, over: Over, tmp_path: Path) -> None:
    mailbox.put(with_files(("a.txt", b"a")))
    (tmp_path / "kept").write_text("a file")
    async with over(attachments={"save": str(tmp_path / "kept")}).open() as source:
        for attempt in (source.fetch({}), source.check()):
            with pytest.raises(SourceUnavailable, match=r"/kept cannot be written"):
                await attempt


async def test_two_sources_may_save_the_same_at_once(mailbox: Mailbox, over: Over, tmp_path: Path) -> None:
    mailbox.put(*(with_files(("a.bin", bytes([number]) * 100_000), number=number) for number in range(20)))
    sources = [over(attachments={"save": str(tmp_path)}) for _ in range(2)]
    await asyncio.gather(*(source.reopened({}) for source in sources))
    wanted = [bytes([number]) * 100_000 for number in range(20)]
    assert contents(tmp_path) == {place(each, ".bin"): each for each in wanted}


@generated(name=st.text(max_size=300))
def test_whatever_a_stranger_calls_it_the_name_is_ours(name: str) -> None:
    attachment = {"sha256": "ab" * 32, "size": 1, "name": name}
    ((_, path),) = files([attachment], Saving(folder=Path("/kept"), largest=1)).items()
    assert path.startswith(f"ab/{'ab' * 32}")
    assert path.count("/") == 1
    assert path.isascii()
    assert len(path) < 80
