"""What is left out: mail that no person wrote to us, and senders that the operator named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cgsync.formats import Mail

KINDS = {
    "bounce": "bounces",
    "null_sender": "bounces",
    "receipt": "bounces",
    "dmarc_report": "reports",
    "tls_report": "reports",
    "abuse_report": "reports",
    "report": "reports",
    "auto_reply": "auto_replies",
    "auto_generated": "auto_replies",
    "list": "lists",
    "bulk": "lists",
}
"""The words of :mod:`cgsync.formats.mail`, and the option that lets such mail through."""


class Filters:
    """Judges a message by the options below ``skip:``."""

    def __init__(self, skip: Mapping[str, Any]) -> None:
        self._kinds = {word for word, option in KINDS.items() if skip[option]}
        self._senders = {sender.casefold() for sender in skip["from"]}

    def cause(self, mail: Mail) -> str:
        """Why it is left out, in one word; empty for one that is to be a record."""
        sender = mail.data["from"]
        address, domain = ((sender.get(name) or "").casefold() for name in ("address", "domain"))
        if self._senders & {address, f"@{domain}"}:
            return "sender"
        return next((word for word in mail.automatic if word in self._kinds), "")
