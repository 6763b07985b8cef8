"""A server that says what a test tells it, for what no Dovecot says: refusals, oddities, lies."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, closing, suppress
from typing import TypeAlias

Answer: TypeAlias = "str | bytes | Callable[[str], str | bytes]"
"""What is said to a command: text or bytes, or a function of its arguments; ``{tag}`` is the command's tag."""

USUAL: Mapping[str, Answer] = {
    "GREETING": "* OK ready\r\n",
    "CAPABILITY": "* CAPABILITY IMAP4rev1 IDLE UIDPLUS\r\n{tag} OK done\r\n",
    "LOGIN": "{tag} OK done\r\n",
    "LIST": '* LIST () "/" INBOX\r\n{tag} OK done\r\n',
    "EXAMINE": "* 1 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 2] ok\r\n{tag} OK [READ-ONLY] done\r\n",
    "NOOP": "{tag} OK done\r\n",
    "UID SEARCH": "* SEARCH 1\r\n{tag} OK done\r\n",
    "UID FETCH": "{tag} OK done\r\n",
    "LOGOUT": "* BYE\r\n{tag} OK done\r\n",
}


class Scripted:
    """``commands`` are those that it got, without their tags."""

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self._answers = {**USUAL, **answers}
        self.commands: list[str] = []
        self._serving: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving[task] = writer
        with suppress(OSError), closing(writer):
            writer.write(self._said("GREETING"))
            while line := (await reader.readline()).decode().strip():
                tag, _, command = line.partition(" ")
                self.commands.append(command)
                writer.write(self._said(command).replace(b"{tag}", tag.encode()))
                await writer.drain()

    async def hang_up(self) -> None:
        for writer in self._serving.values():
            writer.close()
        await asyncio.gather(*self._serving)

    def _said(self, command: str) -> bytes:
        name = re.match(r"(UID )?\w+", command.upper())
        answer = self._answers.get(name[0] if name else "", "{tag} BAD what?\r\n")
        said = answer(command) if callable(answer) else answer
        return said.encode() if isinstance(said, str) else said


@asynccontextmanager
async def scripted(**answers: Answer) -> AsyncIterator[Scripted]:
    """A running one; names of answers are those of commands, with ``_`` for a space."""
    made = Scripted({name.replace("_", " "): answer for name, answer in answers.items()})
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await made.hang_up()


def fetched(uid: int, raw: bytes, *, sequence: int = 1) -> bytes:
    """One line of the answer to a FETCH."""
    about = f'* {sequence} FETCH (UID {uid} RFC822.SIZE {len(raw)} INTERNALDATE "04-Mar-2026 10:00:00 +0100" FLAGS ()'
    return f"{about} BODY[]<0> {{{len(raw)}}}\r\n".encode() + raw + b")\r\n"
