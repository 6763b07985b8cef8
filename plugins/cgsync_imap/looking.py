"""A look at the mailbox for people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from cgsync_imap.errors import Refused
from cgsync_imap.session import Session
from cgsync_imap.settings import Settings

MOST = 8
"""Folders that are named."""
MINUTE = timedelta(minutes=1)
SKEW = 5 * MINUTE
"""A message may seem to come from the future by that much before it is said."""


async def summary(session: Session, folders: Sequence[str], settings: Settings, now: datetime) -> str:
    """One line: who is logged in, what there is, how new mail is found, and what the server cannot do."""
    counts = [await _count(session, folder, now) for folder in folders[:MOST]]
    more = f" and {len(folders) - MOST} more" if len(folders) > MOST else ""
    words = f"logged in to {settings.server} as {settings.username}; {', '.join(counts)}{more}"
    for lack in lacks(await session.capabilities(), settings, folders):
        words += f"; {lack}"
    return "".join(sign if sign.isprintable() else "?" for sign in words)


async def _count(session: Session, folder: str, now: datetime) -> str:
    try:
        messages = (await session.examine(folder, anew=True)).messages
        newest = await session.newest_at() if messages else now
        return f"{folder}: {messages}{skewed(newest - now)}"
    except Refused as error:
        return f"{folder}: cannot be read: {error}"


def skewed(ahead: timedelta) -> str:
    """Nothing, unless the newest message came ``ahead`` of now. That no mail came for long says nothing of clocks."""
    if ahead <= SKEW:
        return ""
    return f" (the newest came in {ahead // MINUTE} minutes from now: the server's clock is wrong, or the one here)"


def lacks(capabilities: frozenset[str], settings: Settings, folders: Sequence[str]) -> Sequence[str]:
    """What the server cannot do, and what is done instead."""
    found = []
    if settings.idle and "IDLE" not in capabilities:
        found.append("no IDLE: new mail is found by the schedule alone")
    elif settings.idle and len(folders) > 1:
        found.append(f"new mail of {folders[0]} is heard of at once, that of the others found by the schedule")
    if settings.after and settings.after.move and "MOVE" not in capabilities:
        found.append("no MOVE: messages are copied, then deleted")
    return found
