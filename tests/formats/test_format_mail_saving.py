"""Attachments are written as they are described, whatever message they come in, and nothing else is written."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings

from cgsync.formats import Malformed, Workers
from cgsync.formats.mail.saving import save
from tests.formats.letters import data, message, multipart, part
from tests.formats.test_format_mail_strangers import messages

FILE = part(
    "aGVsbG8=", 'Content-Disposition: attachment; filename="../../etc/passwd"', "Content-Transfer-Encoding: base64"
)
LETTER = message(multipart("mixed", part("Hi"), FILE))
HELLO = sha256(b"hello").hexdigest()


@settings(max_examples=150)
@given(raw=messages)
def test_each_is_what_its_digest_says(raw: bytes) -> None:
    try:
        told = data(raw)["attachments"]
    except Malformed:
        return
    with TemporaryDirectory() as place:
        folder = Path(place)
        names = {each["sha256"]: each["sha256"] for each in told}
        assert save(raw, {"folder": place, "files": names}) == ""
        written = {path.name: path.read_bytes() for path in folder.rglob("*")}
    assert written.keys() == names.keys()
    assert {sha256(content).hexdigest() for content in written.values()} == names.keys()


def test_only_those_that_are_asked_for_are_written(tmp_path: Path) -> None:
    assert save(LETTER, {"folder": str(tmp_path), "files": {"0" * 64: "other"}}) == ""
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert save(LETTER, {"folder": str(tmp_path), "files": {HELLO: "a/file"}}) == "No space left on device"
    assert list((tmp_path / "a").iterdir()) == []


def test_a_power_cut_takes_no_name_from_what_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    sync = os.fsync

    def noted(handle: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{handle}").readlink()))
        sync(handle)

    monkeypatch.setattr(os, "fsync", noted)
    save(LETTER, {"folder": str(tmp_path), "files": {HELLO: "he/llo"}})
    assert {str(tmp_path), str(tmp_path / "he")} <= set(synced)


async def test_a_worker_does_it_and_says_what_the_system_refused(tmp_path: Path) -> None:
    async with Workers(count=1) as workers:
        await workers.save_attachments(LETTER, tmp_path / "kept", {HELLO: "he/llo"})
        assert (tmp_path / "kept/he/llo").read_bytes() == b"hello"
        with pytest.raises(OSError, match=r"/none/kept: No such file or directory"):
            await workers.save_attachments(LETTER, tmp_path / "none/kept", {HELLO: "he/llo"})
        await workers.save_attachments(LETTER, tmp_path / "kept", {HELLO: "again"})
    assert (tmp_path / "kept/again").read_bytes() == b"hello"
