"""Which parts of an answer are records, and which of them count."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from cgsync.api import SourceMisconfigured
from cgsync.formats import Path
from cgsync_rest.fields import field_of
from cgsync_rest.paths import path
from cgsync_rest.rendering import Compile, Variables, condition

DOTS = re.compile(r"(?:\$\.)?([^$\[\]*?()]+?)(?:\[\*\])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """``expand``: names on the way to the list inside a record."""

    path: Path | None = None
    expand: Sequence[str] = ()
    keep_parent: bool = False
    where: Callable[[Variables], bool] | None = None

    @classmethod
    def of(cls, options: str | Mapping[str, Any], compile_: Compile) -> Self:
        given: Mapping[str, Any] = {"path": options} if isinstance(options, str) else options
        expand: Mapping[str, Any] = given.get("expand", {})
        return cls(
            path=path(given.get("path"), "records: path"),
            expand=names(expand["path"]) if expand else (),
            keep_parent=expand.get("keep_parent", False),
            where=condition(given["where"], compile_) if "where" in given else None,
        )

    def nodes(self, document: Any) -> list[Any]:
        """What the path selects: without one the answer itself, a list or one record."""
        if self.path is None:
            return document if isinstance(document, list) else [] if document is None else [document]
        found = self.path.select(document)
        # `$.tickets` means the list as well as `$.tickets[*]` does
        return found[0] if len(found) == 1 and isinstance(found[0], list) else found

    def records(self, nodes: Sequence[Any]) -> Iterator[dict[str, Any]]:
        """One after another, expanded. What is no object stands in one, under ``value``."""
        for node in nodes:
            for each in self._expanded(node):
                yield each if isinstance(each, dict) else {"value": each}

    def _expanded(self, node: Any) -> Sequence[Any]:
        if not self.expand:
            return [node]
        items = field_of(node, ".".join(self.expand))
        items = items if isinstance(items, list) else [] if items is None else [items]
        return [replaced(node, self.expand, item) for item in items] if self.keep_parent else items


def names(given: str) -> Sequence[str]:
    """``order.lines``, also written ``$.order.lines[*]``."""
    found = DOTS.fullmatch(given)
    if not found or "" in found[1].split("."):
        raise SourceMisconfigured(f"records: expand: path: {given!r} is no field", hint="names with dots: order.lines")
    return tuple(found[1].split("."))


def replaced(node: Mapping[str, Any], steps: Sequence[str], item: Any) -> Any:
    """A copy of the record with ``item`` in place of what the steps lead to."""
    if not steps:
        return item
    return {**node, steps[0]: replaced(node.get(steps[0], {}), steps[1:], item)}
