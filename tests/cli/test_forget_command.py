"""What ``cgsync forget`` says on a terminal's lines, and with what status it ends."""

from __future__ import annotations

import json

from tests.cli.conftest import Office

MAIL = "Anna@Example.com"


def test_it_says_what_went_and_what_it_cannot_reach(worked: Office) -> None:
    foreseen = worked.says("forget", "order-1", "--dry-run").out
    assert foreseen.startswith("would be removed:\n  pending activities  1\nnot in reach of cgsync:\n")
    assert "source orders  orders.csv line 2" in foreseen
    assert worked.says("forget", "ORDER-1").out == foreseen.replace("would be removed", "removed")
    assert worked.says("outbox", "list", "order-1", status=1).out == ""
    worked.says("audit")


def test_of_whom_nothing_is_stored_it_says_so(worked: Office) -> None:
    assert "nothing is stored of them" in worked.says("forget", MAIL).out
    refused = worked.says("forget", "order-99", status=1).err
    assert "→ `cgsync outbox list`" in refused


def test_json_has_all_of_it(worked: Office) -> None:
    found = json.loads(worked.says("forget", "order-2", "--json").out)
    assert (found["activities"], found["places"]) == ({"pending": 1}, {"orders": ["orders.csv line 3"]})


def test_without_room_to_write_the_ledger_anew_it_fails_in_words(worked: Office) -> None:
    worked.write(top="disk_reserve: 1000000 GiB\n")
    said = worked.says("forget", "order-1", status=1)
    assert "removed:\n  pending activities  1" in said.out
    assert "cgsync: bytes of it may still lie in unused parts of the ledger:" in said.err
    assert "→ make room, and say it again" in said.err
    worked.write()
    assert "nothing is stored of them" in worked.says("forget", "order-1").out
