"""The story of a fetch: what lies in the folder against what the cursor says, read on until a batch is full."""

from __future__ import annotations

from collections import ChainMap, deque
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import cast

from cgsync.api import Batch, Clock, Cursor, Json, Later, Log, Problem, SourceUnavailable, Window
from cgsync.formats import Malformed
from cgsync_files.folder import Folder, Found, NotRegular, Scan, hint_for, is_of_its_own
from cgsync_files.gathering import Gathering
from cgsync_files.names import part_of, path_of
from cgsync_files.readiness import Gate, marker_of
from cgsync_files.reading import Changed, Reading, printable
from cgsync_files.settings import Settings
from cgsync_files.states import EDGE, FileState
from cgsync_files.targets import target

LONGEST = 2.0
"""Seconds after which a batch is handed over although it has room; one with nothing in it is of no use, however slow
the disk."""

MOST_GONE = 1_000
"""Files of which it is remembered that they are gone: one that was only renamed is found by that."""


class Abandoned(Exception):
    """Nobody waits for this fetch any more."""


class Drop:
    """Reads the files of one folder. All it remembers beside the cursor is a cache: queue, open file, times."""

    def __init__(self, settings: Settings, clock: Clock, log: Log, *, window: Window | None = None) -> None:
        self._settings = settings
        self._clock = clock
        self._log = log
        self._window = window
        self.folder = Folder(settings)
        self._gate = Gate(settings.readiness, clock, in_order=settings.revision is None)
        self._queue: deque[Found] = deque()
        self._reading: Reading | None = None
        self._handed: dict[str, Json] = {}
        self._gone: dict[str, FileState] = {}
        self._known: dict[str, str] = {}
        self._later: timedelta | None = None
        self._cursor: Cursor = {}

    def fetch(self, cursor: Cursor, *, wanted: Callable[[], bool]) -> Batch | Later | None:
        """What comes after ``cursor``. Raises :class:`Abandoned` soon after ``wanted()`` has become false."""
        if any(cursor.get(part) != value for part, value in self._handed.items()):
            self.forget()  # somebody starts from another place than where we stopped
        self._cursor = cursor
        batch = Gathering(until=self._clock.monotonic() + LONGEST)
        try:
            self._fill(batch, wanted)
        except SourceUnavailable:
            self.forget()
            if batch.is_empty:  # else what was read before comes first; the next fetch says it again
                raise
        except BaseException:
            self.forget()
            raise
        self._handed = dict(batch.cursor)
        if batch.cleaned:
            self._log.warning("removed characters that cannot be stored", count=batch.cleaned)
        return batch.batch() or (Later(after=self._later) if self._later else None)

    def forget(self) -> None:
        """Drop all caches; what counts is in the cursor."""
        if self._reading:
            self._reading.close()
        self._reading = None
        self._queue.clear()
        self._handed = {}
        self._gone = {}

    def _fill(self, batch: Gathering, wanted: Callable[[], bool]) -> None:
        scanned = False
        while self._time_is_left(batch, wanted):
            if self._reading is None and not self._queue:
                if scanned or batch.records:
                    return
                self._look(batch)
                scanned = True
                if not self._queue:
                    return
            if self._reading is None:
                self._open(self._queue.popleft(), batch)
            if self._reading is not None:
                self._read_on(self._reading, batch, wanted)

    def _time_is_left(self, batch: Gathering, wanted: Callable[[], bool]) -> bool:
        if not wanted():
            raise Abandoned
        return batch.has_room() and (batch.is_empty or self._clock.monotonic() < batch.until)

    def _standing(self, batch: Gathering) -> ChainMap[str, Json]:
        """The cursor as it will be when this batch is stored; what it forgets is ``None``."""
        return ChainMap(batch.cursor, cast("dict[str, Json]", self._cursor))

    # what is there

    def _look(self, batch: Gathering) -> None:
        """Scan the folder: queue what is ready, forget what is gone."""
        scan, cursor = self.folder.scan(), self._standing(batch)
        states = {part: FileState.from_json(value) for part, value in cursor.items() if value is not None}
        self._known = {state.identity: part for part, state in states.items() if state and state.outcome == "done"}
        self._forget_gone(scan, states, batch)
        fresh = [
            found
            for found in scan.files
            if was_changed_in(self._window, found) and not is_finished(states.get(part_of(found.path)), found)
        ]
        ready, self._later = self._gate.pass_through(fresh, scan)
        self._queue.extend(ready)
        self._report(scan.unlisted, batch)

    def _forget_gone(self, scan: Scan, states: Mapping[str, FileState | None], batch: Gathering) -> None:
        here = {part_of(found.path) for found in scan.files}
        here |= {problem_part(path) for path in scan.unlisted}
        for part, state in states.items():
            if part in here or any(path_of(part).startswith(f"{folder}/") for folder in scan.unlisted):
                continue
            if not scan.entries and not self._is_put_away(state):
                continue  # an empty folder may be one whose file system is not mounted: all would be read again
            batch.cursor[part] = None
            if state:
                self._gone[state.identity] = state
        while len(self._gone) > MOST_GONE:
            del self._gone[next(iter(self._gone))]

    def _is_put_away(self, state: FileState | None) -> bool:
        """Whether it is expected to be gone: else the cursor would grow with each file, for ever."""
        puts_away = self._settings.delete or self._settings.move is not None
        return puts_away and state is not None and bool(state.outcome)

    def _report(self, unlisted: Mapping[str, str], batch: Gathering) -> None:
        for path, reason in unlisted.items():
            self._problem(problem_part(path), f"{printable(path)} cannot be listed: {reason}", batch)

    def _problem(self, part: str, reason: str, batch: Gathering) -> None:
        """Report a problem when it is new; it stays in the cursor for as long as it lasts."""
        value: Json = {"problem": reason}
        if self._standing(batch).get(part) != value:
            batch.cursor[part] = value
            batch.problems.append(Problem(part=part, reason=reason))

    def _unreadable(self, words: str, part: str, error: OSError, batch: Gathering) -> None:
        """The file's own trouble is told, and the next one is read; any other stops us here."""
        reason, hint = f"{words} cannot be read: {error.strerror}", hint_for(error)
        if not is_of_its_own(error):
            raise SourceUnavailable(reason) from error
        self._problem(part, f"{reason} ({hint})" if hint else reason, batch)

    # one file

    def _open(self, found: Found, batch: Gathering) -> None:
        part = part_of(found.path)
        try:
            reading = Reading(self.folder.open(found.path), found.path, self._settings)
        except (FileNotFoundError, NotRegular):
            return  # gone, or replaced by what is no file, since the scan
        except OSError as error:
            self._unreadable(printable(found.path), part, error, batch)
            return
        if reading.stamp != found.stamp:
            reading.close()  # written to since the scan; the next one decides whether it is ready
            self._later = self._later or max(self._settings.readiness.stable, timedelta(seconds=1))
            return
        self._place(reading, FileState.from_json(self._standing(batch).get(part)), batch, part)

    def _place(self, reading: Reading, known: FileState | None, batch: Gathering, part: str) -> None:
        """Decide where in the file to start, if anywhere."""
        stamp, identity = reading.stamp, reading.state.identity
        for state in (known, self._gone.get(identity)):
            if state and (state.stamp == stamp or state.same_content(stamp, identity)):
                reading.go_on_from(state)
                break
        else:
            if self._settings.skip_same and 0 < stamp.size <= 2 * EDGE and self._known.get(identity, part) != part:
                self._log.info("skipped a file with the same content", file=reading.words, same=self._known[identity])
                reading.finish()
        if not reading.state.outcome:
            self._begin(reading, batch, part)
            return
        reading.close()
        self._finish(reading, batch, part)

    def _begin(self, reading: Reading, batch: Gathering, part: str) -> None:
        try:
            reading.start()
        except Malformed as error:
            reading.fail(batch, error)
            reading.close()
            self._finish(reading, batch, part)
        else:
            self._reading = reading

    def _read_on(self, reading: Reading, batch: Gathering, wanted: Callable[[], bool]) -> None:
        try:
            reading.read_into(batch, go_on=lambda: self._time_is_left(batch, wanted))
        except Changed:
            self._close()
            self._log.info("a file was written to while it was read: it will be read again", file=reading.words)
            self._later = max(self._settings.readiness.stable, timedelta(seconds=1))
            return
        except OSError as error:
            self._close()
            self._unreadable(reading.words, part_of(reading.path), error, batch)
            return
        if reading.state.outcome:
            self._close()
            self._finish(reading, batch, part_of(reading.path))
        else:
            batch.cursor[part_of(reading.path)] = reading.state.as_json()

    def _close(self) -> None:
        if self._reading:
            self._reading.close()
        self._reading = None

    def _finish(self, reading: Reading, batch: Gathering, part: str) -> None:
        """Remember that the file is through, and what is to become of it."""
        state = reading.state
        batch.cursor[part] = state.as_json()
        if state.outcome == "done":
            self._known.setdefault(state.identity, part)
        else:
            batch.problems.append(Problem(part=part, reason=f"{reading.words}: {state.reason}"))
        if item := self._afterwards(reading):
            batch.done.append(item)

    def _afterwards(self, reading: Reading) -> dict[str, Json] | None:
        settings, state = self._settings, reading.state
        if not settings.move and not settings.delete:
            return None
        item: dict[str, Json] = {"file": part_of(reading.path), **state.as_json()}
        if settings.readiness.done_file:
            item["marker"] = part_of(marker_of(reading.path, settings.readiness.done_file))
        template = settings.failed if state.outcome == "failed" else settings.move
        if template:
            item["to"] = part_of(target(template, reading.path, self._clock.now()))
        return item


def is_finished(state: FileState | None, found: Found) -> bool:
    return state is not None and bool(state.outcome) and state.stamp == found.stamp


def was_changed_in(window: Window | None, found: Found) -> bool:
    """Whether a backfill that asks for this span means that file."""
    return window is None or window.start.timestamp() <= found.stamp.mtime / 1e9 < window.end.timestamp()


def problem_part(path: str) -> str:
    """The part under which the trouble of a folder is remembered; no file has such a name."""
    return part_of(path) + "/"
