"""Where the pages end, beside what the next page's token says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from cgsync.api import SourceMisconfigured
from cgsync.formats import Path
from cgsync_rest.page import Page
from cgsync_rest.pagers import Pager
from cgsync_rest.paths import one, path
from cgsync_rest.rendering import Compile, Variables, condition

ENDS = frozenset({"has_more_path", "stop_when", "max_pages", "total_path"})
"""What ends pages that are numbered, when an empty one does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stops:
    """All of the stops that were asked for; any one ends the pages."""

    has_more: Path | None = None
    when: Callable[[Variables], bool] | None = None
    short_page: bool = False
    most: int | None = None
    empty_page: bool = True

    @classmethod
    def of(cls, paginate: Mapping[str, Any], compile_: Compile) -> Self:
        given: Mapping[str, Any] = next(iter(paginate.values()), {})
        empty_page = given.get("empty_page", "stop") == "stop"
        if not empty_page and {"page", "offset"} & paginate.keys() and not ENDS & given.keys():
            raise SourceMisconfigured(
                "paginate: with `empty_page: go_on` these pages never end", hint=f"one of {', '.join(sorted(ENDS))}"
            )
        return cls(
            has_more=path(given.get("has_more_path"), "paginate: has_more_path"),
            when=condition(given["stop_when"], compile_) if "stop_when" in given else None,
            short_page=given.get("stop_on_short_page", False),
            most=given.get("max_pages"),
            empty_page=empty_page,
        )

    def end(self, count: int, page: Page, pager: Pager, variables: Variables) -> bool:
        """Whether that page, one of ``count``, is the last one."""
        if page.answer.passed_over or (self.empty_page and not page.nodes):
            return True
        if self.most is not None and count >= self.most:
            return True
        if self.short_page and pager.size is not None and len(page.nodes) < pager.size:
            return True
        if self.has_more is not None and not one(self.has_more, page.answer.document):
            return True
        return self.when is not None and self.when(variables)
