"""The IMAP source: mail of one mailbox, each message once, and at once when the server says that there is more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from importlib.resources import files
from typing import Any

from cgsync.api import Context, Source, SourceType, Template, hook
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
            judge=judge,
            expand=members,
        )
    ]


def judge(options: Mapping[str, Any], _template: Callable[[str], Template]) -> None:
    """Raises :class:`SourceMisconfigured` for options that do not go together, or that no server understands."""
    from cgsync_imap.judging import judge_imap  # what lists plugins needs none of it

    judge_imap(options)


def open_imap(options: Mapping[str, Any], context: Context) -> AbstractAsyncContextManager[Source]:
    """The source over one mailbox; nobody is connected to before the first fetch."""
    from cgsync_imap.source import opened  # what `cgsync check` reads of us needs no IMAP

    return opened(options, context)
