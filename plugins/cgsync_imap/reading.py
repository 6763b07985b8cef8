"""Messages of the selected folder → records, each by itself: what is wrong with one stops none behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from cgsync.api import MAX_RAW, Record, Unreadable
from cgsync.formats import Mail, MailOptions, Malformed, Workers
from cgsync_imap.errors import Refused
from cgsync_imap.filters import Filters
from cgsync_imap.saving import Shelf, named
from cgsync_imap.session import Message, Session
from cgsync_imap.settings import Settings


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A message that becomes no record. It is counted, if it has a ``cause``."""

    cause: str = ""


Outcome: TypeAlias = "Record | Unreadable | LeftOut"


class Reader:
    """Makes records of messages of a session's selected folder."""

    def __init__(self, settings: Settings, workers: Workers) -> None:
        self._settings = settings
        self._workers = workers
        self._filters = Filters(settings.skip)
        self._options = MailOptions()
        self._shelf = Shelf(settings.saving, workers) if settings.saving else None

    async def read(self, session: Session, messages: Sequence[Message], *, save: bool) -> Sequence[Outcome]:
        """What became of each; parsed beside each other. ``save``: attachments, too, where that is configured."""
        raws = [await self._raw(session, message) for message in messages]
        shelf = self._shelf if save else None
        return await asyncio.gather(
            *(self._outcome(session, message, raw, shelf) for message, raw in zip(messages, raws, strict=True))
        )

    async def _raw(self, session: Session, message: Message) -> bytes | LeftOut | Unreadable:
        """Its bytes, or those of its headers where it is too large, or what else is to become of it."""
        try:
            if message.size <= self._settings.largest:
                return message.raw if message.complete else await session.fetch_all(message.uid)
            if self._settings.too_large == "headers":
                return await session.fetch_headers(message.uid)
        except Refused as error:
            return unreadable(session, message.uid, f"the server does not hand it out: {error}")
        if self._settings.too_large == "skip":
            return LeftOut("too large")
        words = f"it has {message.size} bytes, more than `limits: message`"
        return unreadable(session, message.uid, words, message.raw)

    async def _outcome(
        self, session: Session, message: Message, raw: bytes | LeftOut | Unreadable, shelf: Shelf | None
    ) -> Outcome:
        if not isinstance(raw, bytes):
            return raw
        try:
            mail = await self._workers.mail(raw, self._options)
            if cause := self._filters.cause(mail):
                return LeftOut(cause)
            if shelf is not None:
                await shelf.put(raw, mail.data["attachments"])
        except Malformed as error:
            return unreadable(session, message.uid, error.message, raw)
        return self._record(session, message, mail)

    def _record(self, session: Session, message: Message, mail: Mail) -> Record:
        selected = session.selected
        assert selected is not None
        place = {
            "account": session.account,
            "folder": selected.name,
            "uid": message.uid,
            "uidvalidity": selected.uidvalidity,
            "internaldate": message.at.isoformat(),
            "flags": message.flags,
            "size": message.size,
        }
        data = {**mail.data, "attachments": named(mail.data["attachments"], self._settings.saving), **place}
        return Record(key=mail.key, data=data, position=position(session, message.uid))


def unreadable(session: Session, uid: int, reason: str, raw: bytes = b"") -> Unreadable:
    return Unreadable(position=position(session, uid), raw=raw[:MAX_RAW], reason=reason)


def position(session: Session, uid: int) -> str:
    name = session.selected.name if session.selected else ""
    words = f"{name} uid {uid} of {session.account}"
    return "".join(sign if sign.isprintable() else "?" for sign in words)
