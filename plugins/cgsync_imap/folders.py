"""Which folders are read."""

from __future__ import annotations

from collections.abc import Sequence

from cgsync.api import SourceMisconfigured
from cgsync_imap.names import is_pattern, matcher, plain
from cgsync_imap.session import Listed
from cgsync_imap.settings import Settings

CLOSED = frozenset({"\\noselect", "\\nonexistent"})
"""Folders that only hold others."""
SPECIAL = frozenset({"\\all", "\\drafts", "\\flagged", "\\important", "\\junk", "\\sent", "\\trash"})
"""What nobody wrote to us, what is no mail yet, and views that show mail of other folders again."""
USUAL = frozenset({"drafts", "junk", "spam", "sent", "sent items", "sent messages", "trash", "deleted items"})
"""Names of such folders, for servers that do not say which they are."""


def chosen(listed: Sequence[Listed], settings: Settings) -> Sequence[str]:
    """Names as the server writes them, INBOX first; those that are named without a wildcard also if they are missing.

    Raises :class:`SourceMisconfigured` when there is none.
    """
    there = [each for each in listed if not each.attributes & CLOSED]
    found = [each.name for each in there if _is_meant(each, there, settings)]
    if not found:
        names = ", ".join(each.name for each in there[:10])
        raise SourceMisconfigured(f"no folder is as `folders:` says; there are {names}", hint="correct `folders:`")
    known = {plain(name) for name in found}
    missing = [name for name in settings.folders if not is_pattern(name) and plain(name) not in known]
    return sorted(found, key=lambda name: plain(name) != "INBOX") + missing


def _is_meant(folder: Listed, there: Sequence[Listed], settings: Settings) -> bool:
    name = plain(folder.name)
    if name in map(plain, settings.reserved) or _fits(folder, settings.exclude):
        return False
    if name in (plain(each) for each in settings.folders if not is_pattern(each)):
        return True
    return _fits(folder, settings.folders) and (settings.special or not is_special(folder, there))


def is_special(folder: Listed, there: Sequence[Listed]) -> bool:
    if any(each.attributes & SPECIAL for each in there):
        return bool(folder.attributes & SPECIAL)
    own = folder.name.rsplit(folder.delimiter, 1)[-1] if folder.delimiter else folder.name
    return own.casefold() in USUAL


def _fits(folder: Listed, patterns: Sequence[str]) -> bool:
    return any(matcher(pattern, folder.delimiter)(plain(folder.name)) for pattern in patterns)
