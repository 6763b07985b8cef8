"""A look at the mailbox for people."""

from __future__ import annotations

from collections.abc import Sequence

from cgsync_imap.errors import Refused
from cgsync_imap.session import Session
from cgsync_imap.settings import Settings

MOST = 8
"""Folders that are named."""


async def summary(session: Session, folders: Sequence[str], settings: Settings) -> str:
    """One line: who is logged in, what there is, and what the server cannot do."""
    counts = [await _count(session, folder) for folder in folders[:MOST]]
    more = f" and {len(folders) - MOST} more" if len(folders) > MOST else ""
    words = f"logged in to {settings.server} as {settings.username}; {', '.join(counts)}{more}"
    for lack in lacks(await session.capabilities(), settings):
        words += f"; {lack}"
    return "".join(sign if sign.isprintable() else "?" for sign in words)


async def _count(session: Session, folder: str) -> str:
    try:
        return f"{folder}: {(await session.examine(folder, anew=True)).messages}"
    except Refused as error:
        return f"{folder}: cannot be read: {error}"


def lacks(capabilities: frozenset[str], settings: Settings) -> Sequence[str]:
    """What the server cannot do, and what is done instead."""
    found = []
    if settings.idle and "IDLE" not in capabilities:
        found.append("no IDLE: new mail is found by the schedule alone")
    if settings.after and settings.after.move and "MOVE" not in capabilities:
        found.append("no MOVE: messages are copied, then deleted")
    return found
