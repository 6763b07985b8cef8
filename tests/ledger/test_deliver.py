"""The short way of a delivery: only for the version that its row still wants, found by number and key."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from cgsync.ledger import books, outbox
from cgsync.model import Delivered, Due, Result

OK = Delivered(status=200, data={"id": 1})


def settle(desk: Any, *dues: Due) -> None:
    results = [Result(due=due, outcome=OK) for due in dues]
    outbox.settle(desk.conn, results, desk.now, timedelta(seconds=120))


def test_twice_in_one_group_counts_once(desk: Any) -> None:
    [due] = desk.store(desk.record("a")).due
    settle(desk, due, due)
    assert books.counters(desk.conn)["s"]["delivered"] == 1
    assert desk.balanced()


def test_the_number_of_another_row_marks_the_row_with_the_key(desk: Any) -> None:
    first, second = desk.store(desk.record("a"), desk.record("b")).due
    settle(desk, replace(first, seq=second.seq))
    assert (desk.row("a").state, desk.row("b").state) == ("delivered", "pending")
    assert desk.balanced()


def test_without_its_number_a_row_is_found_by_its_key(desk: Any) -> None:
    [due] = desk.store(desk.record("a")).due
    settle(desk, replace(due, seq=0))
    assert desk.row("a").state == "delivered"
    assert desk.balanced()


def test_a_replaced_version_in_the_group_marks_nothing_and_holds_up_nobody(desk: Any) -> None:
    old, other = desk.store(desk.record("a", "A"), desk.record("b")).due
    desk.store(desk.record("a", "B"))
    settle(desk, old, other)
    assert (desk.row("a").state, desk.row("b").state) == ("pending", "delivered")
    assert desk.balanced()
