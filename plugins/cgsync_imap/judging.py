"""What the options come to, and what is wrong with them that no schema can say, before anybody is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from cgsync.api import Context
from cgsync_imap.settings import Settings
from cgsync_imap.tokens import Tokens


class Prepared(NamedTuple):
    """``insecure``: what is so because ``allow_insecure`` says that it is meant."""

    settings: Settings
    tokens: Tokens | None
    insecure: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Bare:
    """Lends nothing: clock and secrets are for those who ask for a token."""

    clock: Any = None
    secrets: Any = None


def prepared(options: Mapping[str, Any], context: Context) -> Prepared:
    """Raises :class:`SourceMisconfigured` in words that begin with the names of the option."""
    settings = Settings.of(options)
    insecure = settings.server.check_secure(allowed=options["allow_insecure"])
    tokens = Tokens(options["oauth2"], settings.username, context) if "oauth2" in options else None
    return Prepared(settings, tokens, insecure)


def judge_imap(options: Mapping[str, Any]) -> None:
    """Prepare all, and keep nothing."""
    prepared(options, cast("Context", _Bare()))
