"""The IMAP source: mail of one mailbox, each message once, and at once when the server says that there is more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from importlib.resources import files
from typing import Any

from cgsync.api import Context, Source, SourceType, hook
from cgsync_imap.accounts import members
from cgsync_imap.schema import OPTIONS_SCHEMA


@hook
def cgsync_source_types() -> Sequence[SourceType]:
    """One type: ``imap``. Whoever writes a mail chooses its Message-ID, so keys are forgeable."""
    return [
        SourceType(
            name="imap",
            options_schema=OPTIONS_SCHEMA,
            sample=files(__name__).joinpath("sample.yaml").read_text(encoding="utf-8"),
            open=open_imap,
            forgeable_keys=True,
            windows=True,
            expand=members,
        )
    ]


def open_imap(options: Mapping[str, Any], context: Context) -> AbstractAsyncContextManager[Source]:
    """The source over one mailbox; nobody is connected to before the first fetch."""
    from cgsync_imap.source import opened  # what `cgsync check` reads of us needs no IMAP

    return opened(options, context)
