"""A mailbox as the source of a site, and what of it became known: in the ledger, at the receiver."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from cgsync.state import LEDGER
from tests.e2e.installation import Site
from tests.plugins.imap.dovecot import PASSWORD
from tests.plugins.imap.mailbox import Mailbox

SOURCE = """
  support:
    every: {every}
    imap:
      host: 127.0.0.1
      port: {port}
      tls: {{ ca: {ca} }}
      username: {user}
      password: {password}
      start: {start}{options}
    as: mail
    activity:
      reference: "mail-{{{{ mail.message_id }}}}"
      account: "{{{{ mail.from.domain }}}}"
      contact: "{{{{ mail.from.address }}}}"
      type: Email
      source: Support mailbox
      happened_at: "{{{{ mail.date | default(mail.internaldate, true) }}}}"
      additional_information_object:
        subject: "{{{{ mail.subject | truncate(200) }}}}"
        text: "{{{{ mail.trimmed | truncate(2000) }}}}"
"""


def source(mailbox: Mailbox, *options: str, every: str = "1h", start: str = "all") -> str:
    """The YAML of a source that reads it; ``options`` are lines that stand below ``imap:``."""
    return SOURCE.format(
        every=every,
        port=mailbox.server.tls,
        ca=mailbox.server.ca,
        user=mailbox.user,
        password=PASSWORD,
        start=start,
        options="".join(f"\n      {line}" for line in options),
    )


def reference(number: int | str) -> str:
    """Of the letter with that number."""
    return f"mail-{number}@acme.example"


def held(mailbox: Mailbox, folder: str = "INBOX", *criteria: str) -> list[str]:
    """What the messages of a folder would be called, each as often as it is there."""
    return [f"mail-{name.strip('<>')}" for name in mailbox.ids(folder, *criteria)]


def stored(site: Site) -> set[str]:
    """References that the ledger knows, whether a daemon runs or not."""
    return {row["reference"] for row in _rows(site, "SELECT reference FROM activity")}


def position(site: Site, folder: str = "INBOX") -> Mapping[str, Any]:
    """Where the source stands in that folder; empty before it was read."""
    rows = _rows(site, "SELECT value FROM checkpoint WHERE part = ?", folder)
    return json.loads(rows[0]["value"]) if rows else {}


def _rows(site: Site, query: str, *values: str) -> Sequence[sqlite3.Row]:
    file: Path = site.folder / "state" / LEDGER
    if not file.exists():
        return []
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as conn:
        conn.row_factory = sqlite3.Row
        try:
            return conn.execute(query, values).fetchall()
        except sqlite3.OperationalError:  # the daemon has not made its tables yet
            return []
