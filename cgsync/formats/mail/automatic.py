"""Whether a message is one that no person wrote to us, and of which kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cgsync.formats.mail.headers import Headers
from cgsync.formats.mail.model import AUTOMATIC
from cgsync.formats.mail.structure import Structure

REPORTS = {
    "delivery-status": "bounce",
    "disposition-notification": "receipt",
    "tlsrpt": "tls_report",
    "feedback-report": "abuse_report",
}
"""What multipart/report calls it, and what we do."""
STATUS = {
    "message/delivery-status": "bounce",
    "message/global-delivery-status": "bounce",
    "message/disposition-notification": "receipt",
    "message/feedback-report": "abuse_report",
    "application/tlsrpt+gzip": "tls_report",
    "application/tlsrpt+json": "tls_report",
}
"""The part of a report that machines read."""
AGGREGATES = frozenset((
    "application/zip", "application/x-zip-compressed", "application/gzip", "application/x-gzip", "application/xml",
    "text/xml", "application/octet-stream",
))  # fmt: skip
"""How DMARC reports are sent."""
MAILERS = ("mailer-daemon@", "postmaster@")


def reasons(structure: Structure, sender: str) -> Sequence[str]:
    """Words of ``AUTOMATIC``, in its order; ``sender`` is the address in From."""
    headers = structure.headers
    found = {_report(structure)} | {word for word, holds in SIGNS.items() if holds(headers)}
    if sender.lower().startswith(MAILERS) and _null_sender(headers):
        found.add("bounce")
    return [word for word in AUTOMATIC if word in found]


def _report(structure: Structure) -> str:
    """The kind of report, or nothing."""
    headers = structure.headers
    kind = headers.parameters("content-type")
    types = [part.kind.word for part in structure.parts]
    if headers.text("subject").lower().startswith("report domain:") and AGGREGATES.intersection(types):
        return "dmarc_report"
    if headers.first("tls-report-domain"):
        return "tls_report"
    if kind.word != "multipart/report":
        return ""
    named = REPORTS.get(kind.get("report-type").lower())
    return named or next((STATUS[each] for each in types if each in STATUS), "report")


def _auto_reply(headers: Headers) -> bool:
    return (
        headers.word("auto-submitted") in ("auto-replied", "auto-notified")
        or any(headers.first(name) for name in ("x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply"))
        or headers.word("precedence") == "auto_reply"
    )


def _auto_generated(headers: Headers) -> bool:
    suppressed = headers.text("x-auto-response-suppress").lower()
    return headers.word("auto-submitted") not in ("", "no") or suppressed not in ("", "none")


def _list(headers: Headers) -> bool:
    named = any(headers.first(name) for name in ("list-id", "list-post", "list-unsubscribe"))
    return named or headers.word("precedence") == "list"


def _bulk(headers: Headers) -> bool:
    return headers.word("precedence") in ("bulk", "junk")


def _null_sender(headers: Headers) -> bool:
    return any(b"".join(value.split()) == b"<>" for value in headers.every("return-path"))


SIGNS: dict[str, Callable[[Headers], bool]] = {
    "auto_reply": _auto_reply,
    "auto_generated": _auto_generated,
    "list": _list,
    "bulk": _bulk,
    "null_sender": _null_sender,
}
