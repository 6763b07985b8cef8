"""Text and data of strangers as the database can hold them."""

from __future__ import annotations

import json
from typing import Any

import msgspec


def text(content: str) -> str:
    """Text without lone surrogates (file names can hold them) and NULs, which are written out as escapes."""
    if content.isascii() and "\0" not in content:
        return content
    return content.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()


def data(content: Any) -> bytes:
    """The data of a record as JSON, to be mapped again later; what JSON has no word for becomes text."""
    try:
        return msgspec.json.encode(content, enc_hook=str)
    except (UnicodeEncodeError, TypeError, ValueError):
        loose = json.dumps(content, default=str, skipkeys=True, ensure_ascii=False).encode("utf-8", "replace")
        return msgspec.json.encode(json.loads(loose))  # once more, since json writes NaN, which nobody can read
