"""What is asked of a server, in the words of this source: folders, numbers of messages, messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cgsync_imap.client import Client
from cgsync_imap.connection import Connection
from cgsync_imap.names import plain

WINDOW = 50_000
"""Messages looked at by one SEARCH: its answer is one line, which imaplib bounds at a million bytes."""
MOST_SEARCHES = 5
"""How often in a row it is searched for what came while it was searched."""
HEAD = 256 * 1024
"""Bytes of a message that are fetched together with what is known of it; most are no longer."""
DELETED = "\\Deleted"
EPOCH = datetime.fromtimestamp(0, UTC)
BODY = (b"BODY[]<0>", b"BODY[]")
"""How the beginning of a message is called in an answer, and how some call it."""
ABOUT = ("RFC822.SIZE", "INTERNALDATE", "FLAGS")


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """A folder as it was selected. ``keeps``: the flags that it stores, ``\\*`` for keywords of any name."""

    name: str
    uidvalidity: int
    uidnext: int | None
    messages: int
    writable: bool
    keeps: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A folder as it was listed; ``attributes`` in lower case, with their backslash."""

    name: str
    delimiter: str
    attributes: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message, or its first :data:`HEAD` bytes. ``size`` is the server's word."""

    uid: int
    size: int
    at: datetime
    flags: Sequence[str]
    raw: bytes

    @property
    def complete(self) -> bool:
        return len(self.raw) < HEAD


class Session:
    """One connection that is logged in as ``account``. At most one folder is selected."""

    def __init__(self, connection: Connection, account: str) -> None:
        self.connection = connection
        self.account = account
        self.selected: Selected | None = None
        self._messages = 0

    async def capabilities(self) -> frozenset[str]:
        found = await self.connection.run(Client.capabilities)
        return frozenset(each.decode("ascii", "replace").upper() for each in found)

    async def folders(self) -> Sequence[Listed]:
        return [
            Listed(name=name, delimiter=_text(delimiter), attributes=frozenset(_text(flag).lower() for flag in flags))
            for flags, delimiter, name in await self.connection.run(lambda client: client.list_folders())
        ]

    async def examine(self, folder: str, *, anew: bool = False) -> Selected:
        """Select it so that nothing in it can change; if it is selected already, only when asked to do it ``anew``."""
        if self.selected is not None and self.selected.name == folder and not anew:
            return self.selected
        return await self._select(folder, writable=False)

    async def select(self, folder: str) -> Selected:
        """Select it so that it can be changed."""
        return await self._select(folder, writable=True)

    async def _select(self, folder: str, *, writable: bool) -> Selected:
        self.selected = None
        found = await self.connection.run(lambda client: client.select_folder(folder, readonly=not writable))
        self.selected = Selected(
            name=folder,
            uidvalidity=found.get(b"UIDVALIDITY", 0),
            uidnext=found.get(b"UIDNEXT"),
            messages=found.get(b"EXISTS", 0),
            writable=writable,
            keeps=[_text(flag) for flag in found.get(b"PERMANENTFLAGS", ())],
        )
        self._messages = self.selected.messages
        return self.selected

    async def search(self, criteria: Sequence[Any], *, window: int = WINDOW) -> Sequence[int]:
        """UIDs of the selected folder, ascending; what comes in while it is asked is in it, or is found next time."""
        found, self._messages = await self.connection.run(
            lambda client: _search(client, criteria, self._messages, window)
        )
        return found

    async def next_uid(self) -> int:
        """Above every UID that the selected folder holds now."""
        selected = self.selected
        assert selected is not None
        if selected.uidnext is not None:
            return selected.uidnext
        return max(await self.search(["ALL"]), default=0) + 1

    async def newest_at(self) -> datetime:
        """When the last message of the selected folder came, by the server's clock; long ago if there is none."""
        found = await self.connection.run(lambda client: client.fetch(client.search(["*"]), ["INTERNALDATE"]))
        return max((_came(each) for each in found.values()), default=EPOCH)

    async def fetch(self, uids: Sequence[int]) -> Sequence[Message]:
        """Those of the messages that are still there. Nothing is marked as read."""
        items = [*ABOUT, f"BODY.PEEK[]<0.{HEAD}>"]
        found = await self.connection.run(lambda client: client.fetch(uids, items))
        return [_message(uid, found[uid]) for uid in uids if any(name in found.get(uid, {}) for name in BODY)]

    async def fetch_all(self, uid: int) -> bytes:
        """One message in full; empty if it is gone."""
        return await self._part(uid, "")

    async def fetch_headers(self, uid: int) -> bytes:
        return await self._part(uid, "HEADER")

    async def _part(self, uid: int, section: str) -> bytes:
        found = await self.connection.run(lambda client: client.fetch([uid], [f"BODY.PEEK[{section}]"]))
        return found.get(uid, {}).get(f"BODY[{section}]".encode()) or b""

    async def present(self, uids: Sequence[int]) -> Sequence[int]:
        """Those of them that the selected folder still holds."""
        return await self.connection.run(lambda client: sorted(client.search(["UID", _set(uids)])))

    async def flag(self, uids: Sequence[int], flags: Sequence[str]) -> None:
        await self.connection.run(lambda client: client.add_flags(uids, flags, silent=True))

    async def delete(self, uids: Sequence[int]) -> None:
        """These, and none that somebody else has marked as deleted. Needs UIDPLUS."""
        await self.connection.run(lambda client: _delete(client, uids))

    async def move(self, uids: Sequence[int], folder: str) -> None:
        """In one step where the server can do that, else as a copy of which the original is then deleted."""
        await self.connection.run(lambda client: _move(client, uids, folder))

    async def exists(self, folder: str) -> bool:
        return any(plain(each.name) == plain(folder) for each in await self.folders())

    async def create(self, folder: str) -> None:
        await self.connection.run(lambda client: client.create_folder(folder))


def _delete(client: Client, uids: Sequence[int]) -> None:
    client.add_flags(uids, [DELETED], silent=True)
    client.uid_expunge(uids)


def _move(client: Client, uids: Sequence[int], folder: str) -> None:
    if client.has_capability("MOVE"):
        client.move(uids, folder)
    else:
        client.copy(uids, folder)
        _delete(client, uids)


def _set(uids: Sequence[int]) -> str:
    return ",".join(map(str, uids))


def _message(uid: int, found: Mapping[bytes, Any]) -> Message:
    raw = next((found[name] for name in BODY if found.get(name)), b"")
    return Message(
        uid=uid,
        size=found.get(b"RFC822.SIZE") or len(raw),
        at=_came(found),
        flags=sorted(_text(flag) for flag in found.get(b"FLAGS", ())),
        raw=raw,
    )


def _came(found: Mapping[bytes, Any]) -> datetime:
    return (found.get(b"INTERNALDATE") or EPOCH).astimezone(UTC)


def _search(client: Client, criteria: Sequence[Any], messages: int, window: int) -> tuple[Sequence[int], int]:
    """In the thread: UIDs, and how many messages there are. Asked again when something comes in meanwhile, since what
    was announced once is not announced again."""
    client.noop()
    messages = client.announced() or messages
    for _ in range(MOST_SEARCHES):
        found = _windows(client, criteria, messages, window)
        if (now := client.announced()) is None:
            break
        messages = now
    return found, messages


def _windows(client: Client, criteria: Sequence[Any], messages: int, window: int) -> Sequence[int]:
    """In windows of message numbers, from the top down: what is expunged meanwhile moves others down only, into a
    window that is still to come, so that none is passed over."""
    charset = None if all(each.isascii() for each in criteria if isinstance(each, str)) else "UTF-8"
    if messages <= window:
        return sorted(client.search(criteria, charset))
    found: set[int] = set()
    last = "*"
    for first in range((messages - 1) // window * window + 1, 0, -window):
        found.update(client.search([f"{first}:{last}", *criteria], charset))
        last = str(first - 1)
    return sorted(found)


def _text(value: bytes | None) -> str:
    return (value or b"").decode("utf-8", "replace")
