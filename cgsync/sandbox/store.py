"""What the sandbox remembers: activities by reference, the numbers given to names, and a log of every PUT."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import count, islice
from typing import Any

from cgsync.sandbox.rules import moment

LOG_LENGTH = 1_000_000
"""PUTs kept in the log; the oldest go first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One activity as it stands. ``happened`` is UTC, ``created`` and ``updated`` are epoch seconds."""

    id: int
    reference: str | None
    account: str
    account_id: int
    contact: str | None
    contact_id: int | None
    type: str
    classification_id: int
    source: str
    happened: datetime
    body: bytes
    puts: int
    created: float
    updated: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One PUT. ``outcome`` is created, updated, refused, unauthenticated, limited or the kind of a fault."""

    n: int
    at: float
    status: int
    outcome: str
    applied: bool
    reference: str | None
    account: str | None
    errors: Mapping[str, Any] | None
    body: bytes


class Names:
    """Gives each new name the next number."""

    def __init__(self, first: int) -> None:
        self._numbers: dict[str, int] = {}
        self._next = count(first)

    def __getitem__(self, name: str) -> int:
        number = self._numbers.get(name)
        if number is None:
            number = self._numbers[name] = next(self._next)
        return number

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)


class Store:
    """In memory only: a sandbox starts empty."""

    def __init__(self) -> None:
        self.accounts, self.contacts, self.types = Names(10_001), Names(50_001), Names(1)
        self.counters: Counter[str] = Counter()
        self._by_id: dict[int, Activity] = {}
        self._by_reference: dict[str, int] = {}
        self._numbers = count(1)
        self._entries: deque[Entry] = deque(maxlen=LOG_LENGTH)

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Activity]:
        return iter(self._by_id.values())

    def get(self, reference: str) -> Activity | None:
        """The activity with this reference."""
        number = self._by_reference.get(reference)
        return None if number is None else self._by_id[number]

    def by_id(self, number: int) -> Activity | None:
        """The activity with this id."""
        return self._by_id.get(number)

    def apply(self, fields: Mapping[str, Any], body: bytes, at: float) -> Activity:
        """Create or replace an activity from a body that keeps the rules. Without a reference it is always new."""
        reference = fields.get("reference") or None
        before = self.get(reference) if reference else None
        activity = self._activity(fields, body, at, before)
        self._by_id[activity.id] = activity
        if reference:
            self._by_reference[reference] = activity.id
        return activity

    def _activity(self, fields: Mapping[str, Any], body: bytes, at: float, before: Activity | None) -> Activity:
        happened, contact = moment(fields["happened_at"]), fields.get("contact") or None
        assert happened is not None  # the rules were checked
        return Activity(
            id=before.id if before else next(self._numbers),
            reference=fields.get("reference") or None,
            account=fields["account"],
            account_id=self.accounts[fields["account"]],
            contact=contact,
            contact_id=self.contacts[contact] if contact else None,
            type=fields["type"],
            classification_id=self.types[fields["type"]],
            source=fields["source"],
            happened=happened,
            body=body,
            puts=before.puts + 1 if before else 1,
            created=before.created if before else at,
            updated=at,
        )

    def note(self, *, at: float, status: int, outcome: str, body: bytes, **words: Any) -> None:
        """Write one PUT into the log and count it. ``words``: applied, reference, account, errors."""
        self.counters["puts"] += 1
        self.counters[outcome] += 1
        self.counters["applied"] += bool(words.get("applied"))
        self._entries.append(
            Entry(
                n=self.counters["puts"],
                at=at,
                status=status,
                outcome=outcome,
                applied=words.get("applied", False),
                reference=words.get("reference"),
                account=words.get("account"),
                errors=words.get("errors"),
                body=body,
            )
        )

    def log(self, after: int = 0) -> Iterable[Entry]:
        """The PUTs with a number above ``after``, oldest first."""
        dropped = self.counters["puts"] - len(self._entries)
        return islice(self._entries, max(0, after - dropped), None)

    def latest(self) -> Iterator[Entry]:
        """The PUTs, newest first."""
        return reversed(self._entries)
