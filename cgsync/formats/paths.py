"""Where in a document something is: JSONPath (RFC 9535)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

STEP = re.compile(
    r"""\.(?P<name>[A-Za-z_\u0080-\U0010ffff][\w\u0080-\U0010ffff]*)
    |(?P<all>\.\*|\[\*\])
    |\[(?P<index>0|-?[1-9][0-9]{0,14})\]
    |\['(?P<single>[^'\\\x00-\x1f]*)'\]
    |\["(?P<double>[^"\\\x00-\x1f]*)"\]""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Path:
    """A compiled path. ``text`` is how it was written."""

    text: str
    steps: Sequence[str | int | None]

    def select(self, document: Any) -> list[Any]:
        """The values at that path, in the order of the document; none where there is nothing."""
        nodes = [document]
        for step in self.steps:
            nodes = [child for node in nodes for child in _children(node, step)]
        return nodes


def compile_path(text: str) -> Path:
    """``$.tickets[*]``, or ``tickets`` for ``$.tickets``. Raises ``ValueError`` with the place of a mistake."""
    whole = text if text.startswith("$") else f"${text}" if text.startswith("[") else f"$.{text}"
    steps: list[str | int | None] = []
    at = 1
    while at < len(whole):
        step = STEP.match(whole, at)
        if step is None:
            raise ValueError(f"{text!r} is no JSONPath: character {at + 1 - len(whole) + len(text)} is not expected")
        at = step.end()
        if step["all"]:
            steps.append(None)
        elif step["index"]:
            steps.append(int(step["index"]))
        else:
            steps.append(next(name for name in (step["name"], step["single"], step["double"]) if name is not None))
    return Path(text, tuple(steps))


def select(document: Any, path: str | Path) -> list[Any]:
    """The values at ``path``. Raises ``ValueError`` for a path that is none."""
    return (compile_path(path) if isinstance(path, str) else path).select(document)


def _children(node: Any, step: str | int | None) -> list[Any]:
    if step is None:
        return list(node.values()) if isinstance(node, dict) else node if isinstance(node, list) else []
    if isinstance(step, str):
        return [node[step]] if isinstance(node, dict) and step in node else []
    return [node[step]] if isinstance(node, list) and -len(node) <= step < len(node) else []
