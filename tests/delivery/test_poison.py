"""Giving up on the one record that makes the other side fail."""

from __future__ import annotations

from cgsync.delivery.poison import SECONDS, Poison
from cgsync.model import Due


def row(attempts: int, failing_for: float = SECONDS, *, key: str = "bad", version: int = 1) -> Due:
    return Due(key=key, reference=key, version=version, body=b"{}", attempts=attempts, failing_for=failing_for)


def pass_others(poison: Poison, count: int = 20) -> None:
    for n in range(count):
        poison.passed(row(0, key=str(n)))


def test_twelve_attempts_over_six_hours_while_twenty_others_passed() -> None:
    poison = Poison()
    assert not poison.failed(row(0, 0))
    pass_others(poison)
    assert not poison.failed(row(10))
    assert poison.failed(row(11))


def test_not_while_nothing_else_passes() -> None:
    poison = Poison()
    poison.failed(row(0, 0))
    pass_others(poison, 19)
    assert not poison.failed(row(50))
    pass_others(poison, 1)
    assert poison.failed(row(51))


def test_not_before_six_hours() -> None:
    poison = Poison()
    poison.failed(row(0, 0))
    pass_others(poison)
    assert not poison.failed(row(50, SECONDS - 1))


def test_after_a_restart_the_attempts_and_the_hours_go_on_and_twenty_others_have_to_pass_again() -> None:
    poison = Poison()
    assert not poison.failed(row(11))
    pass_others(poison)
    assert poison.failed(row(12))


def test_a_new_version_starts_anew() -> None:
    poison = Poison()
    poison.failed(row(0, 0))
    pass_others(poison)
    assert not poison.failed(row(11, version=2))


def test_what_passed_is_forgotten() -> None:
    poison = Poison()
    poison.failed(row(0, 0))
    poison.passed(row(1))
    pass_others(poison)
    assert not poison.failed(row(11))
