"""The files source: exports that land in a folder (CSV, NDJSON, JSON), record by record, across restarts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from importlib.resources import files
from typing import Any

from cgsync.api import Context, Source, SourceType, hook
from cgsync_files.schema import OPTIONS_SCHEMA


@hook
def cgsync_source_types() -> Sequence[SourceType]:
    """One type: ``files``."""
    sample = files(__name__).joinpath("sample.yaml").read_text(encoding="utf-8")
    return [SourceType(name="files", options_schema=OPTIONS_SCHEMA, sample=sample, open=open_files, windows=True)]


def open_files(options: Mapping[str, Any], context: Context) -> AbstractAsyncContextManager[Source]:
    """The source over one folder; nothing is touched before the first fetch."""
    from cgsync_files.settings import Settings
    from cgsync_files.source import FilesSource  # what `cgsync check` reads of us needs no decoder

    return FilesSource(Settings.of(options), context)
