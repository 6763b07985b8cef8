"""The REST source: records of an HTTP API, page by page, and only what changed since the last time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from importlib.resources import files
from typing import Any

from cgsync.api import Context, Source, SourceType, Template, hook
from cgsync_rest.schema import OPTIONS_SCHEMA


@hook
def cgsync_source_types() -> Sequence[SourceType]:
    """One type: ``rest``."""
    folder = files(__name__)
    return [
        SourceType(
            name="rest",
            options_schema=OPTIONS_SCHEMA,
            sample=folder.joinpath("sample.yaml").read_text(encoding="utf-8"),
            open=open_rest,
            presets=presets(),
            windows=True,
            judge=judge,
        )
    ]


def presets() -> Mapping[str, str]:
    """Name → YAML text of each file in ``presets/``."""
    folder = files(__name__).joinpath("presets")
    found = sorted(folder.iterdir(), key=lambda each: each.name) if folder.is_dir() else []
    return {
        each.name.removesuffix(".yaml"): each.read_text(encoding="utf-8")
        for each in found
        if each.name.endswith(".yaml")
    }


def judge(options: Mapping[str, Any], template: Callable[[str], Template]) -> None:
    """Raises :class:`SourceMisconfigured` for options that cannot be compiled, or do not go together."""
    from cgsync_rest.judging import judge_rest  # what lists plugins and presets needs none of it

    judge_rest(options, template)


def open_rest(options: Mapping[str, Any], context: Context) -> AbstractAsyncContextManager[Source]:
    """The source over one API; nothing is asked before the first fetch."""
    from cgsync_rest.source import opened  # what `cgsync check` reads of us needs no HTTP

    return opened(options, context)
