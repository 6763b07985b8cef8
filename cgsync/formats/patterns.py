"""Regular expressions whose time grows with the length of the text and no faster: RE2."""

from __future__ import annotations

from typing import Any


def compiled(pattern: str) -> Any:
    """The pattern, with the methods of :mod:`re`. Raises ``ValueError`` with what is wrong with it."""
    import re2  # only who uses patterns pays for it

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options=options)
    except re2.error as error:
        said = error.args[0] if error.args else error
        raise ValueError(f"bad pattern: {said.decode() if isinstance(said, bytes) else said}") from None
