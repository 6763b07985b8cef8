"""Fetches every message of an INBOX with IMAPClient and drops it: ``mail_reader.py PORT CA USER PASSWORD``."""

from __future__ import annotations

import ssl
import sys

from imapclient import IMAPClient

CHUNK = 100


def main(port: int, ca: str, user: str, password: str) -> None:
    with IMAPClient("127.0.0.1", port, ssl_context=ssl.create_default_context(cafile=ca)) as client:
        client.login(user, password)
        client.select_folder("INBOX", readonly=True)
        uids = client.search("ALL")
        for start in range(0, len(uids), CHUNK):
            client.fetch(uids[start : start + CHUNK], ["RFC822.SIZE", "INTERNALDATE", "FLAGS", "BODY.PEEK[]"])


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
