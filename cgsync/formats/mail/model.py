"""What a message becomes, how it is asked for, and the caps that hold whatever it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cgsync.formats.mail.languages import LANGUAGES

AUTOMATIC = (
    "bounce", "receipt", "dmarc_report", "tls_report", "abuse_report", "report", "auto_reply", "auto_generated", "list",
    "bulk", "null_sender",
)  # fmt: skip
"""Why a message may be none that a person wrote to us, the most telling reason first.

``bounce``: it could not be delivered. ``receipt``: it was read. ``report``: one that machines write, of a kind that has
no word of its own. ``auto_reply``: somebody is away. ``auto_generated``: Auto-Submitted, or nobody wants a reply.
``list``: from a mailing list or with a way to unsubscribe. ``bulk``: Precedence. ``null_sender``: no Return-Path.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailLimits:
    """Caps; what passes one is cut, and the record says so in ``truncated``.

    ``head``: bytes of the headers of one part; ``header``: bytes of a single one. ``parts``: of the message, all levels
    together; ``depth``: of parts in parts. ``text`` and ``html``: characters.
    """

    head: int = 256 * 1024
    header: int = 64 * 1024
    parts: int = 1000
    depth: int = 50
    text: int = 1024 * 1024
    html: int = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class MailOptions:
    """``quotes`` and ``signature``: whether ``trimmed`` is without them; ``languages``: of ``LANGUAGES``."""

    quotes: bool = True
    signature: bool = True
    languages: Sequence[str] = LANGUAGES
    limits: MailLimits = field(default_factory=MailLimits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One message.

    ``key``: the same for the same message wherever and however often it is read: made of its Message-ID and of the raw
    From, Date, Subject and body, and of no option, so it never changes. ``automatic``: words of ``AUTOMATIC``, the most
    telling first; empty where a person seems to have written to us.

    ``data`` is JSON-like and always has all of these; what the message does not say is ``None``, or empty:

    * ``message_id``, ``in_reply_to``, ``references`` (a list), ``thread_id`` (the first message of the conversation,
      else its own id, else the key), without angle brackets
    * ``from``, ``reply_to``: ``{name, address, domain}``; ``to``, ``cc``: lists of them
    * ``subject``; ``date`` (ISO 8601 with offset), or ``date_error`` (why there is none)
    * ``text`` (plain, or made of the HTML), ``trimmed`` (without quoted messages and signature), ``html``
    * ``attachments``: list of ``{name, type, size, sha256, inline, content_id}``; size in bytes, decoded
    * ``headers``: by name in lower case; what comes several times has a line each
    * ``size`` (bytes), ``automatic``, ``truncated`` (names of the limits that were passed)
    """

    key: str
    automatic: Sequence[str]
    data: Mapping[str, Any]
