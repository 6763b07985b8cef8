"""What keeps the ledger safe and tells of it has values that one need not write."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cgsync.config import BackupConfig, WebConfig

from .conftest import Folder

RECEIVER = "customergauge: {region: eu, client_id: id, client_secret: '${SECRET}'}\n"


def test_without_a_word_there_are_copies_a_reserve_and_an_address_of_this_machine(folder: Folder) -> None:
    made = folder.config(RECEIVER)
    assert made.backup == BackupConfig(folder=made.state_dir / "backups", every=timedelta(days=1), keep=7)
    assert made.disk_reserve == 100 * 2**20
    assert made.web == WebConfig(host="127.0.0.1", port=8787, chosen=False)


def test_what_is_written_counts(folder: Folder) -> None:
    made = folder.config(
        RECEIVER + "disk_reserve: 1 GiB\nbackup: {folder: copies, every: 6h, keep: 2}\n"
        "web: {listen: '[::1]:9000', hosts: [sync.example.com]}\n"
    )
    assert made.backup == BackupConfig(folder=folder.path / "copies", every=timedelta(hours=6), keep=2)
    assert made.disk_reserve == 2**30
    assert made.web == WebConfig(host="::1", port=9000, hosts=("sync.example.com",), chosen=True)


def test_both_can_be_switched_off(folder: Folder) -> None:
    made = folder.config(RECEIVER + "backup: {keep: 0}\nweb: {listen: off}\n")
    assert made.backup is None
    assert made.web is None


@pytest.mark.parametrize("address", ["8787", "127.0.0.1", "http://127.0.0.1:1", "localhost:99999", "a:1/metrics"])
def test_what_is_no_address_is_a_mistake(folder: Folder, address: str) -> None:
    found = folder.finding(RECEIVER + f"web: {{listen: '{address}'}}\n")
    assert (found.path, found.message) == ("web.listen", "must be an address and a port")


def test_an_address_that_others_reach_is_pointed_out(folder: Folder) -> None:
    [warning] = folder.config(RECEIVER + "web: {listen: '0.0.0.0:8787'}\n").warnings
    assert "every machine" in warning.message
