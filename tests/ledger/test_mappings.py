"""The expressions of each version of a mapping."""

from __future__ import annotations

from typing import Any

from cgsync.ledger import mappings


def test_a_version_keeps_its_expressions_and_when_it_was_first_at_work(desk: Any) -> None:
    first = desk.clock.now()
    mappings.keep(desk.conn, "m1", {"account": "{{ a.b }}"}, desk.now)
    desk.clock.seconds += 60
    mappings.keep(desk.conn, "m1", {"account": "{{ a.b }}"}, desk.now)
    mappings.keep(desk.conn, "m2", {"account": "{{ a.c }}"}, desk.now)
    found = mappings.get(desk.conn, "m1")
    assert found is not None
    assert (found.expressions, found.first_at) == ({"account": "{{ a.b }}"}, first)


def test_a_version_from_before_they_were_kept_is_unknown(desk: Any) -> None:
    assert mappings.get(desk.conn, "m1") is None
