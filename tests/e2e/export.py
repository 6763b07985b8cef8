"""Writes a help desk's CSV export as the world has them, bad rows among the good, and says what must become of it."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

HEADER = ("ticket_no", "created_at", "account", "email", "type", "subject", "description", "status", "amount")
UNREADABLE = ("ragged", "stray quote", "open quote", "wrong bytes")
INVALID = ("impossible date", "missing account", "long type")
BAD: Mapping[str, int] = dict.fromkeys(UNREADABLE + INVALID, 10)
"""How many bad rows of each sort are put in; the first four cannot be decoded, the others do not fit the contract."""

ACCOUNTS = (
    "Nordlicht GmbH",
    "Müller & Söhne",
    "Brightwater Hotels, London",
    'The "Old Mill" Inn',
    "Maison Lumière",
    "Grønland AS",
    "Kestrel Robotics",
    "Łódź Trade",
    "東京商事",
    "O'Neill Ltd",
    "Finch; Partners",
    "Orchard Foods",
)
TYPES = ("Support ticket", "Order", "Return", "Complaint", "Rückfrage")
STATUSES = ("open", "pending", "resolved", "closed")
WORDS = (
    "the",
    "machine",
    "invoice",
    "order",
    "delivery",
    "late",
    "broken",
    "Größe",
    "café",
    "please",
    "again",
    "naïve",
    "total",
    "12,5",
    "%",
    "“quoted”",
    "über",
    "box",
)
START = datetime(2023, 1, 1)  # noqa: DTZ001  # the export has no offset


@dataclass(frozen=True, slots=True, kw_only=True)
class Bad:
    """One bad row. ``key`` is its ticket number, though a row that cannot be decoded has none for the reader."""

    sort: str
    key: str

    @property
    def kind(self) -> str:
        """``unreadable`` or ``invalid``, as rejects are."""
        return "unreadable" if self.sort in UNREADABLE else "invalid"


@dataclass(slots=True, kw_only=True)
class Expected:
    """``good``: ticket number → its values as in HEADER. ``bad``: line where the row starts (the header is 1) → why."""

    good: dict[str, tuple[str, ...]] = field(default_factory=dict)
    bad: dict[int, Bad] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Rows below the header."""
        return len(self.good) + len(self.bad)


def write(path: Path, rows: int = 100_000, seed: int = 1, bad: Mapping[str, int] = BAD) -> Expected:
    """Write ``rows`` rows, the bad ones included, the same for the same ``seed``."""
    random, expected, line = Random(seed), Expected(), 2
    sorts = _scatter(random, rows, bad)
    with path.open("wb") as file:
        file.write(_encode(HEADER))
        for index, row in enumerate(_rows(random, rows)):
            sort = sorts.get(index)
            raw = SPOILERS[sort](row) if sort else _encode(row)
            if sort:
                expected.bad[line] = Bad(sort=sort, key=row[0])
            else:
                expected.good[row[0]] = row
            file.write(raw)
            line += raw.count(b"\n")
    return expected


def _scatter(random: Random, rows: int, bad: Mapping[str, int]) -> dict[int, str]:
    sorts = [sort for sort, number in bad.items() for _ in range(number)]
    # never side by side: what a stray quote swallows must not hide the next fault
    places = random.sample(range(0, rows, 2), len(sorts))
    return dict(zip(places, sorts, strict=True))


def _rows(random: Random, rows: int) -> Iterator[tuple[str, ...]]:
    for number in range(rows):
        created = START + timedelta(seconds=random.randrange(2 * 365 * 86_400))
        yield (
            f"T-{number:07}",
            created.isoformat(" "),
            random.choice(ACCOUNTS),
            f"person{random.randrange(5000)}@example.com" if random.random() < 0.9 else "",
            random.choice(TYPES),
            " ".join(random.choices(WORDS, k=4)),
            _description(random),
            random.choice(STATUSES),
            f"{random.randrange(100_000) / 100:.2f}" if random.random() < 0.7 else "",
        )


def _description(random: Random) -> str:
    text = " ".join(random.choices(WORDS, k=random.randrange(3, 12)))
    dice = random.random()
    if dice < 0.05:
        return f"{text}\n\n{text},\n-- \nsent from a phone"
    return f'he said "{text}", twice' if dice < 0.10 else "" if dice < 0.15 else text


class _Line:
    """What csv writes to."""

    text = ""

    def write(self, text: str) -> None:
        self.text = text


def _encode(row: tuple[str, ...]) -> bytes:
    line = _Line()
    csv.writer(line, lineterminator="\n").writerow(row)
    return line.text.encode()


def _with(row: tuple[str, ...], **values: str) -> bytes:
    return _encode(tuple(values.get(name, value) for name, value in zip(HEADER, row, strict=True)))


def _plain(row: tuple[str, ...], subject: bytes) -> bytes:
    """The row on one physical line, with these bytes as they are for a subject."""
    head, tail = _with(row, account="Acme", description="short", subject="@").split(b"@,short", 1)
    return head + subject + b",short" + tail


SPOILERS: Mapping[str, Callable[[tuple[str, ...]], bytes]] = {
    "ragged": lambda row: _encode((*row[:5], "one column less", *row[7:])),
    "stray quote": lambda row: _plain(row, b'"Broken "quote" here"'),
    "open quote": lambda row: _plain(row, b'"never closed'),
    "wrong bytes": lambda row: _plain(row, "Größe".encode("latin-1")),
    "impossible date": lambda row: _with(row, created_at="2024-02-30 10:00:00"),
    "missing account": lambda row: _with(row, account=""),
    "long type": lambda row: _with(row, type="x" * 101),
}
