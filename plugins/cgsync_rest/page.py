"""One page: an answer, decoded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cgsync.api import Unreadable


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """``date``: the server's own time, where it tells it. ``passed_over``: a rule says that nothing is in it."""

    url: str
    status: int
    headers: Mapping[str, str] = field(repr=False)
    document: Any = field(repr=False)
    date: datetime | None = None
    rejects: Sequence[Unreadable] = ()
    passed_over: bool = False

    def variables(self) -> Mapping[str, Any]:
        """As templates see it, under ``response``."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        return {"status": self.status, "headers": headers, "body": self.document}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """``nodes``: what the path selected, before anything is left out. ``variables``: what its request was made of."""

    answer: Answer
    nodes: Sequence[Any] = field(repr=False)
    variables: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def last_record(self) -> Any:
        return self.nodes[-1] if self.nodes else None
