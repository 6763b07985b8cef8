"""Tables that templates ask: a CSV or JSON file, read again when it changes, kept when it breaks."""

from __future__ import annotations

import csv
import io
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b
from pathlib import Path

from cgsync.errors import SourceMisconfigured

MAX_BYTES = 32 * 1024 * 1024
LOOK_EVERY = 1.0
"""Seconds between two looks at the file."""

Stamp = tuple[int, int, int]
"""mtime in ns, size, inode: a file that differs in none of them is the same."""


class Unusable(ValueError):
    """The file is not a table, in words."""


class LookupTable:
    """What stands in the column (or field) ``value`` where ``key`` says so; both compare exactly.

    A JSON file may also be one object of texts, and then needs neither. The file is read when first asked.
    ``problem`` says why the last look at it failed; the last good version stays in use until it is repaired.
    """

    def __init__(
        self,
        path: Path,
        key: str | None = None,
        value: str | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._key = key
        self._value = value
        self._monotonic = monotonic
        self._table: Mapping[str, str] | None = None
        self._digest = ""
        self._stamp: Stamp | None = None
        self._looked: float | None = None
        self.problem: str | None = None
        self._cause: Exception | None = None

    def get(self, key: str) -> str | None:
        """The value beside ``key``, or ``None``. Raises :class:`SourceMisconfigured` if there never was a table."""
        self._look_now_and_then()
        if self._table is None:
            # without any version, "no entry" would reject every record for a fault that is not the record's
            raise SourceMisconfigured(f"lookup {self._path}: {self.problem}", hint="repair the file") from self._cause
        return self._table.get(key)

    def digest(self) -> str:
        """The same as long as the table holds the same; empty when there never was one."""
        self._look_now_and_then()
        return self._digest

    def _look_now_and_then(self) -> None:
        now = self._monotonic()
        if self._looked is None or now - self._looked >= LOOK_EVERY:
            self._looked = now
            self._look()

    def _look(self) -> None:
        try:
            stamp = _stamp(self._path.stat())
            if stamp == self._stamp:
                return
            table = self._read()
            self._stamp = stamp
        except OSError as error:
            self.problem, self._cause = f"cannot be read: {error.strerror}", error
            self._stamp = None  # what comes back in its place is looked at, even with the same stamp
            return
        except (ValueError, RecursionError) as error:
            self.problem, self._cause = str(error) or "is nested too deeply", error
            self._stamp = stamp  # the same broken bytes are not read each second
            return
        self._table, self.problem, self._cause = table, None, None
        self._digest = blake2b(json.dumps(table, sort_keys=True).encode(), digest_size=8).hexdigest()

    def _read(self) -> Mapping[str, str]:
        with self._path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise Unusable(f"is larger than {MAX_BYTES // 1024 // 1024} MiB")
        text = data.decode("utf-8-sig")
        is_json = self._path.suffix.lower() == ".json"
        return _table(self._json_rows(text) if is_json else self._csv_rows(text))

    def _csv_rows(self, text: str) -> Iterable[tuple[str, object]]:
        if not self._key or not self._value:
            raise Unusable("key: and value: must name two columns of a CSV file")
        rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        try:
            header = rows.fieldnames or ()
            for name in (self._key, self._value):
                if name not in header:
                    raise Unusable(f"has no column `{name}`; its columns are {', '.join(header) or 'none'}")
            for row in rows:
                yield _pair(row, self._key, self._value, f"line {rows.line_num}")
        except csv.Error as error:
            raise Unusable(f"line {rows.line_num}: {error}") from error

    def _json_rows(self, text: str) -> Iterable[tuple[str, object]]:
        content = json.loads(text, object_pairs_hook=_without_duplicates)
        if isinstance(content, dict):
            return [(key, self._field(value)) for key, value in content.items()]
        if isinstance(content, list) and self._key and self._value:
            return [_pair(row, self._key, self._value, f"item {n}") for n, row in enumerate(content, 1)]
        raise Unusable("is neither an object nor a list of objects with key: and value:")

    def _field(self, value: object) -> object:
        if isinstance(value, Mapping) and self._value:
            return value.get(self._value)
        return value


def _stamp(stat: os.stat_result) -> Stamp:
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def _pair(row: object, key: str, value: str, where: str) -> tuple[str, object]:
    if not isinstance(row, Mapping) or row.get(key) is None or row.get(value) is None:
        raise Unusable(f"{where} has no `{key}` or no `{value}`")
    return str(row[key]), row[value]


def _table(rows: Iterable[tuple[str, object]]) -> Mapping[str, str]:
    table: dict[str, str] = {}
    for key, value in rows:
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            raise Unusable(f"`{key}` has no text as its value")
        if table.setdefault(key, str(value)) != str(value):
            raise Unusable(f"`{key}` stands there twice, with two values")
    return table


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Unusable(f"`{twice}` stands there twice")
    return found
