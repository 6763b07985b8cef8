"""Giving up on the one record that makes the other side fail."""

from __future__ import annotations

from typing import Any

from cgsync.delivery.poison import SECONDS, Poison
from cgsync.model import Due


def row(attempts: int, version: int = 1) -> Due:
    return Due(key="bad", reference="bad", version=version, body=b"{}", attempts=attempts)


def pass_others(poison: Poison, count: int = 20) -> None:
    for n in range(count):
        poison.passed(str(n))


def test_twelve_attempts_over_six_hours_while_twenty_others_passed(clock: Any) -> None:
    poison = Poison(clock)
    assert not poison.failed(row(0))
    pass_others(poison)
    clock.time += SECONDS
    assert not poison.failed(row(10))
    assert poison.failed(row(11))


def test_not_while_nothing_else_passes(clock: Any) -> None:
    poison = Poison(clock)
    poison.failed(row(0))
    pass_others(poison, 19)
    clock.time += SECONDS
    assert not poison.failed(row(50))


def test_not_before_six_hours(clock: Any) -> None:
    poison = Poison(clock)
    poison.failed(row(0))
    pass_others(poison)
    clock.time += SECONDS - 1
    assert not poison.failed(row(50))


def test_a_new_version_starts_anew(clock: Any) -> None:
    poison = Poison(clock)
    poison.failed(row(0))
    pass_others(poison)
    clock.time += SECONDS
    assert not poison.failed(row(11, version=2))


def test_what_passed_is_forgotten(clock: Any) -> None:
    poison = Poison(clock)
    poison.failed(row(0))
    poison.passed("bad")
    pass_others(poison)
    clock.time += SECONDS
    assert not poison.failed(row(11))
