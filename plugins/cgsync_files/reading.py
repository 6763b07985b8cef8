"""One file while it is read: an open descriptor, a decoder in the middle of it, and where that stands."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace

from cgsync.api import MAX_RAW, Record, Unreadable
from cgsync.formats import START, Decoded, Malformed, Undecodable, decode, detect
from cgsync_files.folder import Stamp
from cgsync_files.gathering import Gathering
from cgsync_files.keys import key_of, revision_of, row_key
from cgsync_files.settings import Settings
from cgsync_files.states import FileState, identify

BUFFER = 256 * 1024


class Changed(Exception):
    """The file is not what it was when it was opened."""


class Reading:
    """Reads one file into batches. ``state`` is what the last batch may store."""

    def __init__(self, handle: int, path: str, settings: Settings) -> None:
        self.path = path
        self.words = printable(path)
        self._settings = settings
        self._stream = os.fdopen(handle, "rb", BUFFER)
        self.stamp = Stamp.of(os.fstat(handle))
        try:
            self.state = FileState(stamp=self.stamp, identity=identify(self._stream, self.stamp.size))
        except OSError:
            self.close()
            raise
        self._items: Iterator[Decoded | Undecodable] = iter(())
        self._at, self._bad = START, 0

    def go_on_from(self, state: FileState) -> None:
        self.state = state.moved_to(self.stamp)

    def start(self) -> None:
        """Find the format and set the decoder to where ``state`` stands. Raises :class:`Malformed`."""
        options = self._settings.decoding
        form = self._settings.format or detect(self.path, self._stream)
        self._items = decode(self._stream, replace(options, format=form), self.state.at)

    def finish(self) -> None:
        self.state = replace(self.state, outcome="done")

    def fail(self, batch: Gathering, error: Malformed) -> None:
        """Give the file up, with the place and the reason among the rejects."""
        batch.rejects.append(self._unreadable(error.line, error.raw, str(error)))
        self.state = replace(self.state, bad=self.state.bad + 1, outcome="failed", reason=str(error))

    def close(self) -> None:
        self._stream.close()

    def read_into(self, batch: Gathering, *, go_on: Callable[[], bool]) -> None:
        """Fill the batch; ``state.outcome`` is set when the file has come to its end.

        Raises :class:`Changed`, with the batch as it was, when somebody wrote to the file meanwhile.
        """
        mark = batch.mark()
        try:
            outcome, reason = "done" if self._read(batch, go_on) else "", ""
            if self._bad > self._settings.bad_rows:
                outcome, reason = "failed", f"it has more than {self._settings.bad_rows} bad rows"
        except Malformed as error:
            batch.rejects.append(self._unreadable(error.line, error.raw, str(error)))
            outcome, reason = "failed", str(error)
            self._bad += 1
        except BaseException:
            batch.back_to(mark)
            raise
        if Stamp.of(os.fstat(self._stream.fileno())) != self.stamp:
            batch.back_to(mark)
            raise Changed
        self.state = replace(self.state, at=self._at, bad=self._bad, outcome=outcome, reason=reason)

    def _read(self, batch: Gathering, go_on: Callable[[], bool]) -> bool:
        """Whether the end of the file was reached."""
        self._at, self._bad = self.state.at, self.state.bad
        begun = self._at.offset - batch.size
        while batch.has_room() and self._bad <= self._settings.bad_rows and go_on():
            item = next(self._items, None)
            if item is None:
                return True
            taken = self._record(item) if isinstance(item, Decoded) else self._refusal(item)
            if isinstance(taken, Record):
                batch.records.append(taken)
            else:
                batch.rejects.append(taken)
                self._bad += 1
            if isinstance(item, Decoded):
                batch.cleaned += item.cleaned
            self._at = item.after
            batch.size = self._at.offset - begun
        return False

    def _record(self, item: Decoded) -> Record | Unreadable:
        settings, data = self._settings, item.data
        try:
            key = key_of(data, settings.key) if settings.key else row_key(data, item.row)
            revision = revision_of(data, settings.revision) if settings.revision else None
        except ValueError as error:
            return self._unreadable(item.line, repr(data).encode("utf-8", "replace"), str(error))
        return Record(key=key, data=data, position=f"{self.words} line {item.line}", revision=revision)

    def _refusal(self, item: Undecodable) -> Unreadable:
        return self._unreadable(item.line, item.raw, item.reason)

    def _unreadable(self, line: int, raw: bytes, reason: str) -> Unreadable:
        return Unreadable(position=f"{self.words} line {line}", raw=raw[:MAX_RAW], reason=reason)


def printable(path: str) -> str:
    """The path for a person: line breaks, escapes of a terminal and bytes that are not text by their numbers."""
    return "".join(sign if sign.isprintable() else _escaped(sign) for sign in path)


def _escaped(sign: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in os.fsencode(sign))
