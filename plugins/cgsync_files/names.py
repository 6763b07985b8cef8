"""Names of files: which ones are meant, and how one is written where only plain text may stand."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Callable, Sequence
from urllib.parse import quote_from_bytes, unquote_to_bytes

IGNORED = ("*.tmp", "*.part", "*.partial", "*.filepart", "*.crdownload", "~$*", "*~", "*.swp", "lost+found")
"""What other programs write before a file is complete; hidden files are never read."""
WILDCARDS = re.compile(r"(\*\*/|\*\*|\*|\?|\[!?[^\]]+\])")


def matcher(patterns: Sequence[str]) -> Callable[[str], bool]:
    """Whether a path below the folder fits one of the globs: one without a slash looks at the name alone."""
    named = [compiled(pattern) for pattern in patterns if "/" not in pattern]
    placed = [compiled(pattern) for pattern in patterns if "/" in pattern]

    def matches(path: str) -> bool:
        name = path.rsplit("/", 1)[-1]
        return any(pattern.fullmatch(name) for pattern in named) or any(pattern.fullmatch(path) for pattern in placed)

    return matches


def compiled(pattern: str) -> re.Pattern[str]:
    """A glob as an expression: ``*`` and ``?`` stay within a name, ``**/`` is any number of folders."""
    return re.compile("".join(_translated(piece) for piece in WILDCARDS.split(pattern.lstrip("/"))), re.DOTALL)


def _translated(piece: str) -> str:
    plain = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    if piece in plain:
        return plain[piece]
    if piece.startswith("[") and len(piece) > 2:
        return "(?!/)" + fnmatch.translate(piece)[:-2]  # a class of characters, without the end of the text
    return re.escape(piece)


def part_of(path: str) -> str:
    """The part of the cursor for a path: the path itself, or escaped where it is not plain text."""
    if path.isprintable() and "%" not in path and _encodable(path):
        return path
    return quote_from_bytes(os.fsencode(path), safe="/ ()[]+,;=@")


def path_of(part: str) -> str:
    """The path of a part of the cursor; the reverse of :func:`part_of`."""
    return os.fsdecode(unquote_to_bytes(part)) if "%" in part else part


def _encodable(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:  # bytes of a name that are not UTF-8 are lone surrogates in Python
        return False
    return True
