"""The story of a fetch: folder after folder, what is new in it, until a batch is full."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from cgsync.api import Batch, Context, Cursor, Json, Problem, Record, SourceUnavailable, Unreadable
from cgsync.formats import Workers
from cgsync_imap.beginning import Beginning, Renumbered
from cgsync_imap.errors import Refused
from cgsync_imap.folders import chosen
from cgsync_imap.gathering import Gathering
from cgsync_imap.position import ZONES, Position, moment
from cgsync_imap.reading import LeftOut, Outcome, Reader, unreadable
from cgsync_imap.session import Message, Session
from cgsync_imap.settings import Settings

LONGEST = 2.0
"""Seconds after which a batch is handed over although it has room."""
CHUNK = 50
"""Messages that are fetched at a time."""
ITSELF = "*"
"""The part of the cursor that is about the source as a whole; no folder can have that name."""


@dataclass(slots=True, kw_only=True)
class Ahead:
    """UIDs that a SEARCH found and that are not read yet, behind the position ``at``."""

    folder: str
    at: Position
    uids: deque[int] = field(default_factory=deque)


class Round:
    """Reads the folders of one mailbox. All that it remembers beside the cursor is a cache."""

    def __init__(self, settings: Settings, context: Context, workers: Workers) -> None:
        self._settings = settings
        self._context = context
        self._reader = Reader(settings, workers)
        self._beginning = Beginning(settings, context.clock, context.log, context.window)
        self._folders: Sequence[str] = ()
        self._listed_at: float | None = None
        self._queue: deque[str] = deque()
        self._ahead: Ahead | None = None
        self._reported: set[str] = set()

    async def fetch(self, session: Session, cursor: Cursor) -> Batch | None:
        """What is new behind ``cursor``."""
        batch = Gathering(until=self._context.clock.monotonic() + LONGEST)
        if not self._queue:
            self._queue.extend(await self.folders(session))
        while self._queue and not batch.is_due(self._context.clock.monotonic()):
            if await self._read_folder(session, self._queue[0], cursor, batch):
                self._queue.popleft()
        return batch.batch()

    def forget(self) -> None:
        """Drop what was found ahead: somebody starts from another place, or over another connection."""
        self._queue.clear()
        self._ahead = None

    async def folders(self, session: Session) -> Sequence[str]:
        now = self._context.clock.monotonic()
        if self._listed_at is None or now - self._listed_at >= self._settings.relist.total_seconds():
            self._folders = chosen(await session.folders(), self._settings)
            self._listed_at = now
        return self._folders

    async def has_news(self, session: Session, folder: str, cursor: Cursor) -> bool:
        """Whether there is something to read in it; it is left selected. Raises :class:`Refused`."""
        stored = Position.from_json(cursor.get(folder))
        selected = await session.examine(folder)
        if stored is None or stored.uidvalidity != selected.uidvalidity:
            return folder not in self._reported
        return bool(await self._unread(session, stored))

    async def newest(self, session: Session, n: int) -> Sequence[Record]:
        """The newest ``n`` messages of the first folder, then of the next one."""
        records: list[Record] = []
        for folder in await self.folders(session):
            await session.examine(folder, anew=True)
            uids = sorted(await session.search(self._settings.search or ["ALL"]), reverse=True)
            while uids and len(records) < n:
                chunk, uids = uids[: min(CHUNK, n)], uids[min(CHUNK, n) :]
                messages, _ = await fetched(session, chunk)
                outcomes = await self._reader.read(session, messages, save=False)
                records += [each for each in outcomes if isinstance(each, Record)]
        return records[:n]

    async def _read_folder(self, session: Session, folder: str, cursor: Cursor, batch: Gathering) -> bool:
        """Whether all was read that is in it."""
        stored = cursor.get(folder)
        try:
            position = await self._beginning.position(session, folder, Position.from_json(stored), began(cursor))
            self._note(folder, position, stored, batch)
            self._begin(cursor, batch)
            return await self._read_on(session, folder, position, batch)
        except (Refused, Renumbered) as error:
            self._complain(folder, stored, error, batch)
            return True

    def _note(self, folder: str, position: Position, stored: Json, batch: Gathering) -> None:
        if position.as_json() != stored:
            batch.cursor[folder] = position.as_json()

    def _begin(self, cursor: Cursor, batch: Gathering) -> None:
        if began(cursor) is None:
            batch.cursor.setdefault(ITSELF, {"began": self._context.clock.now().isoformat(timespec="seconds")})

    def _complain(self, folder: str, stored: Json, error: SourceUnavailable, batch: Gathering) -> None:
        """Once in the life of a source: `status` shows it until the folder can be read again."""
        if folder not in self._reported:
            self._reported.add(folder)
            standing = batch.cursor.get(folder, stored)
            now = self._context.clock.now().isoformat(timespec="microseconds")
            kept = standing if isinstance(standing, Mapping) else {}
            batch.cursor[folder] = {**kept, "trouble": error.message, "at": now}
            batch.problems.append(Problem(part=folder, reason=str(error)))

    async def _read_on(self, session: Session, folder: str, position: Position, batch: Gathering) -> bool:
        ahead = self._ahead
        if ahead is None or not ahead.uids or ahead.folder != folder or ahead.at != position:
            found = deque(await self._unread(session, position))
            ahead = self._ahead = Ahead(folder=folder, at=position, uids=found)
        while ahead.uids:
            if batch.is_due(self._context.clock.monotonic()):
                return False
            uids = list(islice(ahead.uids, min(CHUNK, batch.room())))
            ahead.at = await self._read_chunk(session, uids, ahead.at, batch)
            for _ in uids:
                ahead.uids.popleft()
            batch.cursor[folder] = ahead.at.as_json()
        ahead.at = position.through() if ahead.at == position else ahead.at.through()
        self._note(folder, ahead.at, batch.cursor.get(folder, position.as_json()), batch)
        self._reported.discard(folder)
        return True

    async def _unread(self, session: Session, position: Position) -> Sequence[int]:
        window, criteria = self._context.window, position.criteria()
        if window is not None:
            if position.low >= position.until:
                return []
            last = (window.end + ZONES).date()
            criteria = ["UID", f"{position.low + 1}:{position.until}", *criteria[3:5], "BEFORE", last]
        found = await session.search([*criteria, *self._settings.search])
        return [uid for uid in found if uid > position.low]

    async def _read_chunk(
        self, session: Session, uids: Sequence[int], position: Position, batch: Gathering
    ) -> Position:
        """The position behind these messages. The batch holds what became of them, or, after an error, none of it."""
        messages, refused = await fetched(session, uids)
        wanted = [each for each in messages if self._counts(position, each)]
        outcomes = await self._reader.read(session, wanted, save=True)
        batch.rejects.extend(refused)
        stored = [each for each, outcome in zip(wanted, outcomes, strict=True) if take(outcome, batch)]
        self._settle_later(session, [each.uid for each in stored], batch)
        batch.size += sum(each.size for each in wanted)
        newest = max((each.at for each in messages), default=None)
        return position.behind(uids[-1], newest, self._context.clock.now())

    def _counts(self, position: Position, message: Message) -> bool:
        window = self._context.window
        in_time = window is None or message.at < window.end
        return in_time and position.reaches_back_to(message.uid, message.at)

    def _settle_later(self, session: Session, uids: Sequence[int], batch: Gathering) -> None:
        if uids and self._settings.after is not None and self._context.window is None:
            selected = session.selected
            assert selected is not None
            batch.done.append({"folder": selected.name, "uidvalidity": selected.uidvalidity, "uids": list(uids)})


async def fetched(session: Session, uids: Sequence[int]) -> tuple[Sequence[Message], Sequence[Unreadable]]:
    """The messages; one by one where the server refuses them together, so that it names the one that it means."""
    try:
        return await session.fetch(uids), []
    except Refused as error:
        if len(uids) == 1:
            return [], [unreadable(session, uids[0], f"the server does not hand it out: {error}")]
    parts = [await fetched(session, [uid]) for uid in uids]
    return [each for found, _ in parts for each in found], [each for _, refused in parts for each in refused]


def take(outcome: Outcome, batch: Gathering) -> bool:
    """Whether it is a record."""
    match outcome:
        case Record():
            batch.records.append(outcome)
            return True
        case Unreadable():
            batch.rejects.append(outcome)
        case LeftOut(cause) if cause:
            batch.filtered[cause] += 1
    return False


def began(cursor: Cursor) -> datetime | None:
    """When this source was first read."""
    itself = cursor.get(ITSELF)
    try:
        return moment(str(itself["began"])) if isinstance(itself, Mapping) else None
    except (KeyError, ValueError):
        return None
