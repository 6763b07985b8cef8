"""Where a page is: what sets its request apart from those of the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec

from cgsync.api import Json
from cgsync_rest.request import Addition

LARGEST = 16 * 1024
"""Bytes of a token that is remembered: all of a position has to fit into 64 KiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One page's turn. ``token`` is what may not come twice; ``lasting``: it is still good after a restart.

    Tokens, keys and links last; numbers of pages and offsets do not, since lists shift.
    """

    number: int = 1
    token: Json = None
    addition: Addition = field(default_factory=Addition)
    lasting: bool = False

    @property
    def keeps(self) -> bool:
        """Whether it is good after a restart, and small enough to be remembered."""
        return self.lasting and len(msgspec.json.encode(self.as_json())) <= LARGEST

    def as_json(self) -> dict[str, Json]:
        token = None if self.token == self.addition.url else self.token
        added: dict[str, Json] = {
            "token": token,
            "params": dict(self.addition.params),
            "fields": dict(self.addition.fields),
            "headers": dict(self.addition.headers),
            "url": self.addition.url,
        }
        told = {name: value for name, value in added.items() if value or value == 0}
        return {"number": self.number, **told}

    def without(self, param: str) -> Turn:
        """The same page, by an address that does not hold that parameter: it is kept, and that one is a secret."""
        if self.addition.url is None:
            return self
        parts = urlsplit(self.addition.url)
        pairs = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != param]
        url = urlunsplit(parts._replace(query=urlencode(pairs)))
        return replace(self, token=url, addition=replace(self.addition, url=url))

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Raises ``KeyError``, ``TypeError`` or ``ValueError`` for what is none."""
        addition = Addition(
            params=dict(value.get("params", {})),
            fields=dict(value.get("fields", {})),
            headers={str(name): str(text) for name, text in value.get("headers", {}).items()},
            url=value.get("url"),
        )
        return cls(number=int(value["number"]), token=value.get("token", addition.url), addition=addition, lasting=True)
