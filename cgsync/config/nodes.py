"""The configuration as a tree in which every value knows where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from cgsync.plugins.vocabulary import Scalar

Path_: TypeAlias = "tuple[str | int, ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of a file; lines and columns count from 0, in characters, the end is not part of it."""

    file: Path
    line: int
    column: int
    end_line: int
    end_column: int

    @property
    def empty(self) -> bool:
        return (self.line, self.column) >= (self.end_line, self.end_column)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Node:
    """A value. ``span`` is ``None`` for what was not written but filled in (a default).

    ``text`` is the scalar as it is read before it gets a type, ``written`` as it stands in the file, with its
    ``${…}``. ``secret``: must not be shown. ``literal``: nothing in it was replaced. ``failed``: there is a finding
    about it already. ``kind``: ``duration``, ``size`` or ``secret`` once the schema said so. ``origin``: whose words
    they are, when they are not the user's (``preset freshdesk``); the spans are then those of what brought them in.
    """

    value: Scalar | dict[str, Node] | list[Node]
    span: Span | None = None
    key: Span | None = None
    text: str = ""
    written: str = ""
    secret: bool = False
    literal: bool = True
    failed: bool = False
    kind: str = ""
    origin: str = ""

    @property
    def spelled_out(self) -> bool:
        """Whether the file itself holds (some of) the value, rather than one reference to where it is."""
        if self.origin:
            return False
        return self.literal or not re.fullmatch(r"\$\{[^}]*\}", self.written) or ":-" in self.written

    def __contains__(self, key: str) -> bool:
        return isinstance(self.value, dict) and key in self.value

    def get(self, key: str) -> Node | None:
        return self.value.get(key) if isinstance(self.value, dict) else None

    def items(self) -> Iterator[tuple[str, Node]]:
        """The members of a mapping; of anything else none."""
        yield from self.value.items() if isinstance(self.value, dict) else ()

    def children(self) -> Iterator[tuple[str | int, Node]]:
        yield from enumerate(self.value) if isinstance(self.value, list) else self.items()

    def at(self, path: Path_) -> Node:
        """The node at that path, or the nearest one above it."""
        node = self
        for step in path:
            found = dict(node.children()).get(step)
            if found is None:
                return node
            node = found
        return node

    def with_(self, **changes: Any) -> Node:
        return replace(self, **changes)


def filled_in(value: Any) -> Node:
    """A tree out of plain values, for what nobody wrote."""
    if isinstance(value, dict):
        return Node(value={str(key): filled_in(each) for key, each in value.items()})
    if isinstance(value, list | tuple):
        return Node(value=[filled_in(each) for each in value])
    return Node(value=value, text=_text(value))


def _text(value: Scalar) -> str:
    """A scalar as one writes it."""
    if isinstance(value, str):
        return value
    return "" if value is None else str(value).lower()


def plain(node: Node, *, defaults: bool = True) -> Any:
    """The tree as JSON-like values; without ``defaults``, only what was written."""
    if isinstance(node.value, dict):
        return {key: plain(each, defaults=defaults) for key, each in node.value.items() if defaults or each.span}
    if isinstance(node.value, list):
        return [plain(each, defaults=defaults) for each in node.value]
    return node.value


def dotted(path: Path_) -> str:
    """``sources.orders.activity[1].when``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
