"""A script of faults: which request meets one, and which. Told to the sandbox as JSON, matched in order.

A fault is an object with a ``kind`` and, each optional:

    on            put (default) or token
    next          the next N requests
    nth           the N-th request from now, once
    every         each N-th request
    probability   0 to 1, drawn from ``seed`` (default 1)
    reference     only PUTs whose reference matches this glob
    applied       whether the PUT is applied all the same (each kind has its own default)

Without next, nth, every and probability, each request meets it until the faults are cleared. The kinds:

    status        answer ``status`` with ``headers`` and ``body`` (text as it stands, anything else as JSON)
    reset_before  the connection is reset, nothing is applied
    reset_after   the PUT is applied, then the connection is reset instead of an answer
    reset_inside  the PUT is applied; half an answer, then the connection is reset
    hang          nothing is answered for ``seconds`` (default: until the client goes)
    delay         the normal answer, ``seconds`` late (default 1)
    late          the connection is reset at once, and the PUT applied ``seconds`` later (default 1)
    drip          applied; the answer comes a byte at a time, over ``seconds`` (default 60)
    truncated     applied; half an answer, then the connection ends
    endless       applied; an answer that does not end until the client goes
    huge          applied; a good answer in 10 MB
    bad_gzip      applied; an answer that says gzip and is not
    gzip_bomb     applied; 100 KB of gzip that are 100 MB
    bad_json      applied; an answer that says JSON and is half of it
    html200       200 with a page of HTML, as a captive portal sends it
    empty200      200 without a body
    redirect      ``status`` (default 307) to ``location`` (default: another host)
    down          nothing listens any more for ``seconds`` (default 1); every connection is cut
    revoke        every token is revoked, and this request is answered 401
    refuse_token  the token endpoint answers 401 ``invalid_client``; implies ``on: token``
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from itertools import count
from random import Random
from typing import Any, TypeAlias

from cgsync.errors import CgsyncError
from cgsync.sandbox.reply import Reply

KINDS = {  # kind → whether the PUT is applied all the same
    "status": False,
    "reset_before": False,
    "reset_after": True,
    "reset_inside": True,
    "hang": False,
    "delay": True,
    "late": True,
    "drip": True,
    "truncated": True,
    "endless": True,
    "huge": True,
    "bad_gzip": True,
    "gzip_bomb": True,
    "bad_json": True,
    "html200": False,
    "empty200": False,
    "redirect": False,
    "down": False,
    "revoke": False,
    "refuse_token": False,
}


class BadFault(CgsyncError):
    """A fault that the sandbox does not understand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault as it was told; see the module."""

    kind: str
    on: str = "put"
    next: int | None = None
    nth: int | None = None
    every: int | None = None
    probability: float | None = None
    seed: int = 1
    reference: str | None = None
    applied: bool | None = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    seconds: float | None = None
    location: str = "https://elsewhere.invalid/activities"

    @property
    def applies(self) -> bool:
        """Whether the PUT that meets this fault is applied."""
        return KINDS[self.kind] if self.applied is None else self.applied

    def reply(self) -> Reply:
        """The answer of the kinds that answer."""
        if self.kind == "html200":
            page = b"<!doctype html><title>Sign in</title><p>Please sign in to use this network."
            return Reply(status=200, body=page, headers={"Content-Type": "text/html; charset=utf-8"})
        if self.kind == "empty200":
            return Reply(status=200, body=b"")
        if self.kind == "redirect":
            return Reply(status=self.status or 307, body=b"", headers={"Location": self.location, **self.headers})
        if self.kind == "refuse_token":
            return Reply.of(401, {"error": "invalid_client"})
        return self._status_reply()

    def _status_reply(self) -> Reply:
        status = self.status or 503
        if isinstance(self.body, str):
            headers = {"Content-Type": "text/html; charset=utf-8", **self.headers}
            return Reply(status=status, body=self.body.encode(), headers=headers)
        value = self.body if self.body is not None else _usual_body(status)
        return Reply.of(status, value, self.headers)


class Armed:
    """A fault that waits for its requests."""

    def __init__(self, number: int, fault: Fault) -> None:
        self.number, self.fault = number, fault
        self.seen = self.hits = 0
        self._random = Random(fault.seed)  # noqa: S311  # a repeatable script is the point

    def meets(self, on: str, reference: str | None) -> bool:
        """Count this request if it concerns the fault, and say whether it meets it."""
        fault = self.fault
        if on != fault.on or (fault.reference and not fnmatchcase(reference or "", fault.reference)):
            return False
        self.seen += 1
        hit = self._due()
        self.hits += hit
        return hit

    def _due(self) -> bool:
        fault = self.fault
        if fault.nth is not None:
            return self.seen == fault.nth
        if fault.every is not None:
            return self.seen % fault.every == 0
        if fault.probability is not None:
            return self._random.random() < fault.probability
        return fault.next is None or self.seen <= fault.next


class Faults:
    """The faults in the order in which they were told; the first that is met decides."""

    def __init__(self) -> None:
        self._armed: list[Armed] = []
        self._numbers = count(1)

    def __bool__(self) -> bool:
        return bool(self._armed)

    def __iter__(self) -> Iterator[Armed]:
        return iter(self._armed)

    def add(self, **words: Any) -> Armed:
        """Arm one fault; raises :class:`BadFault` in words."""
        armed = Armed(next(self._numbers), parse(words))
        self._armed.append(armed)
        return armed

    def clear(self) -> None:
        """Behave again."""
        self._armed.clear()

    def met(self, on: str, reference: str | None = None) -> Fault | None:
        """The fault that this request meets."""
        return next((armed.fault for armed in self._armed if armed.meets(on, reference)), None)


def parse(words: Mapping[str, Any]) -> Fault:
    """A fault from what a stranger wrote; raises :class:`BadFault`."""
    known = {each.name for each in fields(Fault)}
    unknown = sorted(set(words) - known)
    if unknown:
        raise BadFault(f"fault: unknown key {unknown[0]!r}", hint=f"known are {', '.join(sorted(known))}")
    if words.get("kind") not in list(KINDS):  # a list compares, and does not hash what strangers wrote
        raise BadFault(f"fault: unknown kind {words.get('kind')!r}", hint=f"known are {', '.join(KINDS)}")
    _check_values(words)
    on = "token" if words["kind"] == "refuse_token" else words.get("on", "put")
    return Fault(**{**words, "on": on})


def _check_values(words: Mapping[str, Any]) -> None:
    for name, (wanted, good) in _VALUES.items():
        if name in words and not good(words[name]):
            raise BadFault(f"fault: {name} must be {wanted}, not {words[name]!r}")


def _whole(least: int, most: int) -> _Rule:
    return f"a whole number from {least} to {most}", lambda value: type(value) is int and least <= value <= most


def _real(most: float) -> _Rule:
    return f"a number from 0 to {most:g}", lambda value: type(value) in (int, float) and 0 <= value <= most


_Rule: TypeAlias = tuple[str, Callable[[Any], bool]]
_VALUES: Mapping[str, _Rule] = {
    "next": _whole(1, 10**9),
    "nth": _whole(1, 10**9),
    "every": _whole(1, 10**9),
    "seed": _whole(0, 2**63),
    "status": _whole(200, 599),
    "probability": _real(1),
    "seconds": _real(86_400),
    "on": ("put or token", lambda value: value in ("put", "token")),
    "applied": ("true or false", lambda value: isinstance(value, bool)),
    "reference": ("a text with * for anything", lambda value: isinstance(value, str)),
    "location": ("a text", lambda value: isinstance(value, str) and value.isprintable()),
    "headers": ("an object of texts", lambda value: isinstance(value, dict) and _all_texts(value)),
}


def _all_texts(value: Mapping[Any, Any]) -> bool:
    return all(isinstance(each, str) and each.isprintable() for pair in value.items() for each in pair)


def _usual_body(status: int) -> dict[str, Any]:
    if status == 422:
        return {"message": "The given data was invalid.", "errors": {"type": ["The type field is required."]}}
    usual = {401: "Unauthenticated.", 403: "This action is unauthorized.", 429: "Too Many Attempts."}
    return {"message": usual.get(status, "Server Error")}
