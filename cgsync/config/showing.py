"""The configuration as it is understood: each value in force, and where it came from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cgsync.config.nodes import Node, dotted
from cgsync.config.words import walk
from cgsync.secrets import MASK


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownValue:
    """A value in force; ``origin`` is ``file:line``, ``preset NAME`` or ``default``. A secret's value is the mask."""

    path: str
    value: Any
    origin: str


def shown(root: Node) -> Iterator[ShownValue]:
    """Every scalar, and every empty mapping or list, in the order of the files."""
    hidden: set[tuple[str | int, ...]] = set()
    for path, node in walk(root):
        if node.secret or path[:-1] in hidden:
            hidden.add(path)
        if isinstance(node.value, dict | list) and node.value:
            continue
        value = MASK if path in hidden else _empty(node) if isinstance(node.value, dict | list) else node.value
        yield ShownValue(path=dotted(path), value=value, origin=_origin(node))


def _empty(node: Node) -> Any:
    return {} if isinstance(node.value, dict) else []


def _origin(node: Node) -> str:
    if node.origin:
        return node.origin
    return f"{node.span.file}:{node.span.line + 1}" if node.span else "default"
