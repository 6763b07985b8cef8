"""A mailbox as another mail program sees it: puts mail there, and looks what became of it."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import Any

from imapclient import IMAPClient

from tests.plugins.imap.dovecot import PASSWORD, Dovecot


def letter(number: int | str, *, subject: str = "", text: str = "Hello.", **headers: str) -> bytes:
    """A plain mail. Names of headers are written with ``_`` for ``-``."""
    mail = EmailMessage()
    mail["From"] = "Ann Example <ann@acme.example>"
    mail["To"] = "support@example.com"
    mail["Subject"] = subject or f"Question {number}"
    mail["Date"] = "Wed, 04 Mar 2026 10:00:00 +0100"
    mail["Message-ID"] = f"<{number}@acme.example>"
    for name, value in headers.items():
        del mail[name.replace("_", "-")]
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail.as_bytes()


def with_files(*attached: tuple[str, bytes], number: int = 1, **headers: str) -> bytes:
    """A mail to which files are attached; their names may be anything."""
    mail = EmailMessage()
    mail["From"], mail["Message-ID"] = "ann@acme.example", f"<{number}@acme.example>"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content("See below.")
    for name, content in attached:
        mail.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return mail.as_bytes()


PATTERN = letter("NUMBER")
"""To write a letter anew takes longer than to read it."""


@dataclass
class Mailbox:
    """One account, whose name is its user's; logs in for each look, so that it keeps no connection."""

    server: Dovecot
    user: str

    @contextmanager
    def client(self) -> Iterator[IMAPClient]:
        with self.connected() as client:
            client.login(self.user, PASSWORD)
            yield client

    def connected(self) -> IMAPClient:
        trust = ssl.create_default_context(cafile=str(self.server.ca))
        return IMAPClient("127.0.0.1", self.server.tls, ssl_context=trust, timeout=60)

    def login_with(self, method: str, token: str) -> None:
        with self.connected() as client:
            getattr(client, method)(self.user, token)

    def put(
        self, *letters: bytes, folder: str = "INBOX", at: datetime | None = None, flags: Sequence[str] = ()
    ) -> None:
        with self.client() as client:
            for each in letters:
                client.append(folder, each, flags, at)

    def fill(self, count: int) -> None:
        """That many letters at once, as a server that holds them already."""
        self.uids()  # so that the mailbox is there
        for number in range(1, count + 1):
            self.deliver(number)

    def store(self, raw: bytes, *, name: str = "1.M1P1.odd") -> None:
        """Put bytes there that no server would accept from a client."""
        home = self.server.folder / "mail" / self.user
        path = home / "tmp" / name
        path.write_bytes(raw)
        os.chown(path, home.stat().st_uid, home.stat().st_gid)
        path.rename(home / "new" / name)

    def deliver(self, number: int) -> None:
        """Put a letter there as a mail system does, past the server. The mailbox must be there."""
        self.store(PATTERN.replace(b"NUMBER", b"%d" % number), name=f"{number:06}.M1P1.test")

    def create(self, *folders: str) -> None:
        with self.client() as client:
            for folder in folders:
                client.create_folder(folder)

    def uids(self, folder: str = "INBOX", *criteria: str) -> list[int]:
        with self.client() as client:
            client.select_folder(folder, readonly=True)
            return list(client.search(criteria or "ALL"))

    def ids(self, folder: str = "INBOX", *criteria: str) -> list[str]:
        """The Message-IDs there are."""
        with self.client() as client:
            client.select_folder(folder, readonly=True)
            found = client.fetch(client.search(criteria or "ALL"), ["ENVELOPE"])
        return [each[b"ENVELOPE"].message_id.decode() for each in found.values()]

    def flags(self, folder: str = "INBOX") -> dict[int, set[bytes]]:
        """UID → flags, without ``\\Recent``, which says only that nobody has looked."""
        with self.client() as client:
            client.select_folder(folder, readonly=True)
            found: dict[int, Any] = client.fetch(client.search("ALL"), ["FLAGS"])
        return {uid: set(values[b"FLAGS"]) - {b"\\Recent"} for uid, values in found.items()}

    def subjects(self, folder: str = "INBOX") -> list[str]:
        with self.client() as client:
            client.select_folder(folder, readonly=True)
            found: dict[int, Any] = client.fetch(client.search("ALL"), ["ENVELOPE"])
        return [values[b"ENVELOPE"].subject.decode() for values in found.values()]

    def status(self, folder: str = "INBOX") -> dict[bytes, int]:
        with self.client() as client:
            found: dict[bytes, int] = client.folder_status(folder)
            return found
