"""What is wrong with the options that no schema can say, before anything is opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cgsync.api import Window
from cgsync.formats import decode_settings
from cgsync_rest.client import origin_of
from cgsync_rest.parents import Parents
from cgsync_rest.plan import Plan
from cgsync_rest.rendering import Compile
from cgsync_rest.rules import Rules


@dataclass(frozen=True, slots=True)
class _Bare:
    """Lends what compiling needs; the clock is for those who look something up."""

    template: Compile
    clock: Any = None
    window: Window | None = None


def judge_rest(options: Mapping[str, Any], template: Compile) -> None:
    """Compile everything, and keep nothing. Raises :class:`SourceMisconfigured`."""
    origin_of(options["url"])
    decode_settings(options.get("decode", {}), limits=options.get("limits", {}))
    Plan.of(options, _Bare(template))
    Rules.of(options.get("errors", ()), template)
    if parent := options.get("for_each", {}).get("parent"):
        Parents.of(parent, template, options["url"])
