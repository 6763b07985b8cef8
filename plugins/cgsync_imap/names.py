"""Names of folders: when two are the same, and which ones a pattern means."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable


def matcher(pattern: str, delimiter: str) -> Callable[[str], bool]:
    """As LIST of IMAP has it: ``*`` is anything, ``%`` anything but the delimiter."""
    level = f"[^{re.escape(delimiter)}]*" if delimiter else ".*"
    signs = {"*": ".*", "%": level}
    text = "".join(signs.get(sign, re.escape(sign)) for sign in plain(pattern))
    compiled = re.compile(text, re.DOTALL)
    return lambda name: compiled.fullmatch(name) is not None


def is_pattern(name: str) -> bool:
    return "*" in name or "%" in name


def plain(name: str) -> str:
    """The same for two spellings of one folder: composed letters or not, and INBOX in any case."""
    composed = unicodedata.normalize("NFC", name)
    return "INBOX" if composed.upper() == "INBOX" else composed
