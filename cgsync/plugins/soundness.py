"""Is a source type what the contract asks for?"""

from __future__ import annotations

from cgsync.api import SourceType


def check(kind: SourceType) -> None:
    """Raise :class:`PluginError` in words when it is not."""
