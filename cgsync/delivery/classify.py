"""From an answer to what follows from it: one pure function over one table that anyone can read.

2xx with the documented JSON            Delivered
2xx with anything else                  Again, in doubt         a captive portal, a wrong host
3xx                                     Paused  redirect        never followed
400, 409, 413, 415, 422                 Refused
404 with the documented errors          Refused
401                                     Paused  auth            after the sender has tried a fresh token
403                                     Paused  forbidden
404 otherwise, any other 4xx            Paused  not_found, unexpected
429                                     Again, for all workers, not counted
408, 425, 5xx                           Again, in doubt
no connection (DNS, refused, TLS)       Again, not counted
an untrusted certificate                Paused  tls             never downgraded
cut or silent after the first byte      Again, in doubt
the token endpoint refuses us           Paused  auth
the token endpoint is busy or down      Again, not counted
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from cgsync.delivery.answer import Answer, Broken, Kind
from cgsync.http import retry_after
from cgsync.model import Again, Delivered, Outcome, Paused, Refused

RECORDS_FAULT = frozenset({400, 409, 413, 415, 422})
MAYBE_DONE = frozenset({408, 425})
MOST_REASONS = 50
LONGEST_REASON = 500


def classify(answer: Answer | Broken, *, now: datetime) -> Outcome:
    """What follows from an answer, or from its absence. ``now`` is the wall time, for dates in Retry-After."""
    if isinstance(answer, Broken):
        return _broken(answer)
    if 200 <= answer.status < 300:
        return _success(answer)
    if answer.status in RECORDS_FAULT:
        return Refused(status=answer.status, reasons=_reasons(answer))
    if answer.status == 429:
        after = retry_after(answer.headers, now=now)
        return Again(reason="429: too many requests", status=429, after=after, counted=False, gate=True)
    if answer.status in MAYBE_DONE or answer.status >= 500:
        after = retry_after(answer.headers, now=now)
        return Again(reason=_words(answer), status=answer.status, after=after, doubt=True)
    return _setup(answer)


def _success(answer: Answer) -> Outcome:
    if answer.too_large:
        return Again(reason=f"{answer.status} with an answer that is too large", status=answer.status, doubt=True)
    data = _json(answer.body).get("data")
    if isinstance(data, dict) and ("id" in data or "reference" in data):
        return Delivered(status=answer.status, data=data)
    return Again(
        reason=f"{answer.status}, but not what the API answers: {answer.text[:120] or 'an empty body'}",
        status=answer.status,
        doubt=True,
    )


def _setup(answer: Answer) -> Outcome:
    if answer.status == 404 and _json(answer.body).get("errors"):
        return Refused(status=404, reasons=_reasons(answer))
    if answer.status < 400:
        target = answer.headers.get("location") or answer.headers.get("Location") or "nowhere"
        return Paused(cause="redirect", reason=f"{answer.status} to {target[:200]}", status=answer.status)
    return Paused(cause=_CAUSES.get(answer.status, "unexpected"), reason=_words(answer), status=answer.status)


def _broken(broken: Broken) -> Outcome:
    if broken.kind in _BROKEN_SETUP:
        return Paused(cause=_BROKEN_SETUP[broken.kind], reason=broken.message)
    # what was never sent cannot be in doubt, and says nothing about the record
    return Again(
        reason=broken.message,
        after=broken.after,
        counted=broken.sent,
        doubt=broken.sent,
        gate=broken.kind is Kind.LOGIN_BUSY,
    )


def _reasons(answer: Answer) -> dict[str, str]:
    """Field → the API's words; what has no field stands under the empty name."""
    reply = _json(answer.body)
    errors = reply.get("errors")
    if isinstance(errors, Mapping) and errors:
        return {str(field)[:128]: _flat(words) for field, words in list(errors.items())[:MOST_REASONS]}
    words = reply.get("message") or errors or answer.text or "no reason given"
    return {"": f"{answer.status}: {_flat(words)}"}


def _words(answer: Answer) -> str:
    said = _json(answer.body).get("message") or answer.text
    return f"{answer.status}: {_flat(said)[:200]}" if said else str(answer.status)


def _flat(words: object) -> str:
    text = " ".join(map(str, words)) if isinstance(words, list) else str(words)
    return text[:LONGEST_REASON]


def _json(body: bytes) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


_CAUSES = {401: "auth", 403: "forbidden", 404: "not_found"}
_BROKEN_SETUP = {Kind.CERTIFICATE: "tls", Kind.LOGIN: "auth", Kind.REDIRECT: "redirect"}
