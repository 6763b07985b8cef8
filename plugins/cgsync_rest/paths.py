"""JSONPaths of the options."""

from __future__ import annotations

from typing import Any

from cgsync.api import SourceMisconfigured
from cgsync.formats import Path, compile_path


def path(text: str | None, option: str) -> Path | None:
    """Raises :class:`SourceMisconfigured` with the option and the place of the mistake."""
    if text is None:
        return None
    try:
        return compile_path(text)
    except ValueError as error:
        raise SourceMisconfigured(f"{option}: {error}") from None


def one(where: Path | None, document: Any) -> Any:
    """The first value at the path; ``None`` where there is none."""
    found = where.select(document) if where is not None else []
    return found[0] if found else None
