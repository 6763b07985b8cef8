"""The books: what was read and what became of it, and the proof that nothing is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select
from sqlalchemy import func as sql

from cgsync.ledger.counters import OPEN, by_source
from cgsync.ledger.schema import activity

EQUATIONS = {
    "records": (("read", "remapped"), ("mapped", "filtered", "invalid", "conflict")),
    "activities": (("activities",), ("new", "changed", "unchanged", "stale", "forgotten_again")),
    "versions": (
        ("new", "changed", "requeued"),
        ("delivered", "superseded", "dropped", "forgotten", "pending", "held", "refused"),
    ),
}
"""What was counted in, and what it must be equal to. ``pending``, ``held``, ``refused`` are counted from the rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Equation:
    """One balance: ``source`` is a uid, or empty for all together.

    ``difference`` is what is missing on the right; negative for what is too much there.
    """

    source: str
    name: str
    left: Mapping[str, int]
    right: Mapping[str, int]
    difference: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """Every balance. ``ok`` when all of them are even."""

    ok: bool
    equations: Sequence[Equation]

    @property
    def differences(self) -> Sequence[Equation]:
        """The balances that are not even: an alarm."""
        return [equation for equation in self.equations if equation.difference]


def audit(conn: Connection) -> Audit:
    """Balance every source and all of them together, against the rows themselves."""
    counted, rows = by_source(conn), states(conn)
    books = {uid: _book(counted.get(uid, {}), rows.get(uid, {})) for uid in sorted({*counted, *rows})}
    overall: Counter[str] = Counter()
    for book in books.values():
        overall.update(book)
    equations = [equation for uid, book in [("", overall), *books.items()] for equation in _equations(uid, book)]
    equations += [each for uid in books for each in _gauges(uid, counted.get(uid, {}), rows.get(uid, {}))]
    return Audit(ok=not any(equation.difference for equation in equations), equations=equations)


def counters(conn: Connection) -> dict[str, dict[str, int]]:
    """Every counter: uid → name → value."""
    return by_source(conn)


def states(conn: Connection) -> dict[str, dict[str, int]]:
    """The rows that are not delivered, counted: uid → state → how many."""
    undone = activity.c.state != "delivered"
    grouped = select(activity.c.source, activity.c.state, sql.count()).where(undone)
    found: dict[str, dict[str, int]] = {}
    for uid, state, count in conn.execute(grouped.group_by(activity.c.state, activity.c.source)):
        found.setdefault(uid, {})[state] = count
    return found


def _book(counted: Mapping[str, int], rows: Mapping[str, int]) -> dict[str, int]:
    return {**counted, **{state: rows.get(state, 0) for state in OPEN}}


def _equations(uid: str, book: Mapping[str, int]) -> Sequence[Equation]:
    return [
        _equation(uid, name, {term: book.get(term, 0) for term in left}, {term: book.get(term, 0) for term in right})
        for name, (left, right) in EQUATIONS.items()
    ]


def _gauges(uid: str, counted: Mapping[str, int], rows: Mapping[str, int]) -> Sequence[Equation]:
    """What the counters say of the rows in each state, against the rows."""
    return [
        _equation(uid, f"{state} rows", {"counted": counted.get(state, 0)}, {"rows": rows.get(state, 0)})
        for state in OPEN
    ]


def _equation(uid: str, name: str, left: Mapping[str, int], right: Mapping[str, int]) -> Equation:
    difference = sum(left.values()) - sum(right.values())
    return Equation(source=uid, name=name, left=left, right=right, difference=difference)
