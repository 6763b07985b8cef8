"""Where in a document something is: JSONPath, RFC 9535."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from cgsync.formats.records import Malformed

LONGEST = 2000
"""Characters of a path."""
NODES = 5_000_000
"""Values that one selection may look at: ``$..a..b`` looks at some of them many times."""

Selector: TypeAlias = Callable[[Any, Any], Iterable[Any]]
"""From a value and the whole document to what it selects below that value."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One step of a path: what is selected below each value, or (``descends``) also below all that is in it."""

    selectors: Sequence[Selector]
    descends: bool


@dataclass(frozen=True, slots=True)
class Path:
    """A compiled path; ``text`` is how it was written."""

    text: str
    segments: Sequence[Segment]

    def select(self, document: Any) -> list[Any]:
        """The values at that path, in the order of the document; none where there is nothing.

        Raises :class:`Malformed` for a document in which it would have to look at more than five million values.
        """
        nodes, looked_at = [document], 0
        for segment in self.segments:
            found: list[Any] = []
            for node in _descendants(nodes) if segment.descends else nodes:
                for selector in segment.selectors:
                    found += selector(node, document)
                looked_at += 1
                if looked_at + len(found) > NODES:
                    raise Malformed(f"{self.text} would look at more than {NODES} values of this document")
            nodes = found
        return nodes


def compile_path(text: str) -> Path:
    """``$.tickets[*]``; ``tickets[*]`` is short for it. Raises ``ValueError`` with the place of a mistake."""
    from cgsync.formats import querying  # the parser costs a tenth of a second, and not everybody selects

    if len(text) > LONGEST:
        raise ValueError(f"a path of {len(text)} characters, at most {LONGEST} are allowed")
    implied = "" if text.startswith("$") else "$" if text.startswith("[") else "$."
    return Path(text, querying.parse(implied + text, said=text))


def select(document: Any, path: str | Path) -> list[Any]:
    """The values at ``path``. Raises ``ValueError`` for a path that is none."""
    return (compile_path(path) if isinstance(path, str) else path).select(document)


def _descendants(nodes: Sequence[Any]) -> Iterator[Any]:
    """Each value and all that is in it, from the outside in and in the order of the document."""
    pending = list(reversed(nodes))
    while pending:
        node = pending.pop()
        yield node
        if isinstance(node, dict):
            pending += [each for each in reversed(node.values()) if isinstance(each, (dict, list))]
        elif isinstance(node, list):
            pending += [each for each in reversed(node) if isinstance(each, (dict, list))]
