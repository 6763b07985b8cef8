"""Where the reading of a folder begins: the first time, and after the server numbered it anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from cgsync.api import Clock, Log, SourceUnavailable, Window
from cgsync_imap.position import EPOCH, MARGIN, Position
from cgsync_imap.session import Session
from cgsync_imap.settings import Settings, midnight


class Renumbered(SourceUnavailable):
    """The folder was numbered anew, and the operator wants to look at it first."""


class Beginning:
    """Finds the position from which a folder is read on; it is left selected for reading."""

    def __init__(self, settings: Settings, clock: Clock, log: Log, window: Window | None) -> None:
        self._settings = settings
        self._clock = clock
        self._log = log
        self._window = window

    async def position(
        self, session: Session, folder: str, stored: Position | None, began: datetime | None
    ) -> Position:
        """``began``: when this source was first read, if that was before. Raises :class:`Renumbered`."""
        selected = await session.examine(folder, anew=stored is None)
        if stored is None:
            return await self._first(session, began)
        if stored.uidvalidity == selected.uidvalidity:
            return stored
        selected = await session.examine(folder, anew=True)
        return await self._again(session, stored, began)

    async def _first(self, session: Session, began: datetime | None) -> Position:
        assert session.selected is not None
        until = await session.next_uid() - 1
        fresh = Position(uidvalidity=session.selected.uidvalidity, low=0, newest=EPOCH, until=until)
        if self._window is not None:
            return since(fresh, self._window.start)
        start = self._settings.start
        if isinstance(start, date):
            return since(fresh, midnight(start))
        if start == "all":
            return fresh
        if began is None:
            return replace(fresh, low=until, newest=self._clock.now())
        return since(fresh, began)  # a folder that appeared later: what is in it since then was moved there

    async def _again(self, session: Session, stored: Position, began: datetime | None) -> Position:
        assert session.selected is not None
        name, policy = session.selected.name, self._settings.uidvalidity
        self._log.warning("folder was numbered anew", folder=name, policy=policy)
        if policy == "stop":
            words = f"{name}: the server numbered it anew, and `uidvalidity: stop` is set"
            raise Renumbered(words, hint="`cgsync checkpoint reset` lets it begin again as `start:` says")
        fresh = await self._first(session, began)
        if policy == "restart":
            return fresh
        unread = replace(fresh, low=0, since=None)
        return unread if stored.newest == EPOCH else since(unread, stored.newest - MARGIN)


def since(fresh: Position, moment: datetime) -> Position:
    return replace(fresh, since=moment, newest=moment)
