"""The guard against pages that go round in circles."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from cgsync.api import SourceUnavailable
from cgsync_rest.page import Page
from cgsync_rest.pagers import shown
from cgsync_rest.request import Asked
from cgsync_rest.turns import Turn

HINT = "the API repeats itself; if that stays so, correct `paginate:`"


class LoopGuard:
    """Remembers the tokens, requests and pages of one walk. What comes twice is :class:`SourceUnavailable`."""

    def __init__(self) -> None:
        self._tokens: set[bytes] = set()
        self._requests: set[bytes] = set()
        self._pages: set[bytes] = set()

    def ask(self, turn: Turn, asked: Asked) -> None:
        """That request is about to be sent."""
        where = f"{shown(asked.url)} page {turn.number}"
        if turn.token is not None and _seen(self._tokens, digest(turn.token)):
            token = str(turn.token)
            words = shown(token) if token.startswith("http") else repr(token[:80])
            raise SourceUnavailable(f"{where}: the token {words} came twice", hint=HINT)
        if _seen(self._requests, asked.fingerprint()):
            raise SourceUnavailable(f"{where}: the same request twice", hint=HINT)

    def read(self, turn: Turn, page: Page) -> None:
        """That page came."""
        if page.nodes and _seen(self._pages, digest(page.nodes)):
            raise SourceUnavailable(f"{shown(page.answer.url)} page {turn.number}: the same page twice", hint=HINT)


def digest(value: Any) -> bytes:
    """Eight bytes that are the same for the same JSON."""
    return hashlib.blake2b(msgspec.json.encode(value, order="deterministic"), digest_size=8).digest()


def _seen(known: set[bytes], what: bytes) -> bool:
    if what in known:
        return True
    known.add(what)
    return False
