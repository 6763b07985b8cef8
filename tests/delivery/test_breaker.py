"""When single failures become a matter of all."""

from __future__ import annotations

from cgsync.delivery.breaker import Brake, Breaker


def test_five_failures_in_a_row_over_three_references_trip_it() -> None:
    breaker = Breaker()
    assert [breaker.failed(key) for key in "aabbc"] == [False, False, False, False, True]


def test_one_bad_record_never_trips_it() -> None:
    breaker = Breaker()
    assert not any(breaker.failed(key) for key in "ab" * 50)


def test_an_answer_starts_the_row_anew() -> None:
    breaker = Breaker()
    for key in "abcd":
        breaker.failed(key)
    breaker.answered()
    assert [breaker.failed(key) for key in "abcd"] == [False] * 4


def test_twenty_different_refusals_in_a_row_trip_the_brake() -> None:
    brake = Brake()
    assert [brake.refused(str(n)) for n in range(20)] == [False] * 19 + [True]


def test_a_reference_counts_once() -> None:
    brake = Brake()
    assert not any(brake.refused("same") for _ in range(100))


def test_over_half_of_the_last_fifty_trip_the_brake() -> None:
    """Two of three are refused, never twenty in a row."""
    brake, tripped = Brake(), []
    for n in range(60):
        if n % 3 == 2:
            brake.accepted()
        else:
            tripped.append(brake.refused(str(n)))
    assert tripped.index(True) == 25


def test_every_other_refusal_does_not() -> None:
    brake = Brake()
    for n in range(200):
        brake.accepted()
        assert not brake.refused(str(n))


def test_what_was_long_ago_is_forgotten() -> None:
    brake = Brake()
    for n in range(19):
        brake.refused(str(n))
    for _ in range(50):
        brake.accepted()
    assert not any(brake.refused(f"later {n}") for n in range(19))
