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
        if turn.token is not None and digest(turn.token) in self._tokens:
            token = str(turn.token)
            words = shown(token) if token.startswith("http") else repr(token[:80])
            raise SourceUnavailable(f"{where}: the token {words} came twice", hint=HINT)
        if asked.fingerprint() in self._requests:
            raise SourceUnavailable(f"{where}: the same request twice", hint=HINT)

    def begin_anew(self) -> None:
        """Another position: its pages are counted from the first. No request and no page of before may come again."""
        self._tokens.clear()

    def read(self, turn: Turn, asked: Asked, page: Page) -> None:
        """That page came; what was not answered may be asked for again."""
        self._tokens.add(digest(turn.token))
        self._requests.add(asked.fingerprint())
        content = digest(page.nodes)
        if page.nodes and content in self._pages:
            raise SourceUnavailable(f"{shown(page.answer.url)} page {turn.number}: the same page twice", hint=HINT)
        self._pages.add(content)


def digest(value: Any) -> bytes:
    """Eight bytes that are the same for the same JSON."""
    return hashlib.blake2b(msgspec.json.encode(value, order="deterministic"), digest_size=8).digest()
