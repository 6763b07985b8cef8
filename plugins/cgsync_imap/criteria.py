"""What is searched for in IMAP's words, and whether a server could understand it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from typing import Any, NamedTuple

from cgsync.api import SourceMisconfigured

TAKES: Mapping[str, str] = {
    **dict.fromkeys(("ALL", "ANSWERED", "DELETED", "DRAFT", "FLAGGED", "NEW", "OLD", "RECENT", "SEEN"), ""),
    **dict.fromkeys(("UNANSWERED", "UNDELETED", "UNDRAFT", "UNFLAGGED", "UNSEEN", "SAVEDATESUPPORTED"), ""),
    **dict.fromkeys(("BEFORE", "ON", "SINCE", "SENTBEFORE", "SENTON", "SENTSINCE"), "d"),
    **dict.fromkeys(("SAVEDBEFORE", "SAVEDON", "SAVEDSINCE"), "d"),
    **dict.fromkeys(("LARGER", "SMALLER", "OLDER", "YOUNGER"), "n"),
    **dict.fromkeys(("BCC", "BODY", "CC", "FROM", "KEYWORD", "SUBJECT", "TEXT", "TO", "UNKEYWORD"), "t"),
    **dict.fromkeys(("EMAILID", "THREADID", "FILTER", "X-GM-RAW", "X-GM-LABELS", "X-GM-MSGID", "X-GM-THRID"), "t"),
    "HEADER": "tt",
    "UID": "s",
    "NOT": "k",
    "FUZZY": "k",
    "OR": "kk",
}
"""What comes behind a key: a day, a number, a text, a set of numbers, another key."""
SET = re.compile(r"[0-9:,*]+|\$")
QUOTED = re.compile(r'[ "\\]|^$')
"""What is sent in quotes: a text, whatever it looks like."""


class Word(NamedTuple):
    """``place``: which of the list; ``quoted`` ones are texts and nothing else."""

    place: int
    text: str
    quoted: bool


class Unknown(Exception):
    """A key of which it is not known what comes behind it."""


def criteria(search: Mapping[str, Any]) -> tuple[Any, ...]:
    """For IMAPClient, which quotes what must be. Raises :class:`SourceMisconfigured` for what no server understands."""
    found: list[Any] = []
    for name in ("from", "to", "cc", "subject", "keyword", "unkeyword", "larger", "smaller"):
        if name in search:
            found += [name.upper(), search[name]]
    for header, value in search.get("header", {}).items():
        found += ["HEADER", header, value]
    if "unseen" in search:
        found.append("UNSEEN" if search["unseen"] else "SEEN")
    if search.get("larger", 0) >= search.get("smaller", float("inf")):
        raise SourceMisconfigured("search: smaller: nothing is smaller than that and larger than `larger:`")
    check_raw(search.get("raw", ()))
    return (*found, *search.get("raw", ()))


def check_raw(raw: Sequence[str]) -> None:
    """Judge it up to the first key that only some servers know."""
    words = list(_words(raw))
    words.reverse()
    try:
        while words:
            _key(words)
    except Unknown:
        return


def _words(raw: Sequence[str]) -> Iterator[Word]:
    for place, text in enumerate(raw):
        if QUOTED.search(text):
            yield Word(place, text, quoted=True)
        else:
            yield from (Word(place, each, quoted=False) for each in re.findall(r"[()]|[^()]+", text))


def _key(words: list[Word]) -> None:
    """Take one key and all that belongs to it from the end of the list."""
    word = words.pop()
    if word.quoted:
        raise _wrong(word, f"{word.text} would be sent as one text", "write word by word: [NOT, FROM, robot]")
    if word.text == "(":
        _group(word, words)
    elif not SET.fullmatch(word.text):
        for kind in _takes(word):
            _take(word, kind, words)


def _group(begun: Word, words: list[Word]) -> None:
    while words and words[-1].text != ")":
        _key(words)
    if not words:
        raise _wrong(begun, "a ( without its )")
    words.pop()


def _takes(word: Word) -> str:
    key = word.text.upper()
    if key == ")":
        raise _wrong(word, "a ) without its (")
    if key not in TAKES:
        if meant := get_close_matches(key, TAKES, n=1, cutoff=0.8):
            raise _wrong(word, f"there is no {word.text}", f"did you mean {meant[0]}?")
        raise Unknown(key)
    return TAKES[key]


def _take(key: Word, kind: str, words: list[Word]) -> None:
    if not words or (words[-1].text == ")" and not words[-1].quoted):
        raise _wrong(key, f"{key.text} lacks what comes behind it")
    if kind == "k":
        _key(words)
        return
    text = words.pop().text
    if kind == "d" and not _is_day(text):
        raise _wrong(key, f"{text} behind {key.text} is no day", "write it as 31-Jan-2026")
    if (kind == "n" and not text.isdecimal()) or (kind == "s" and not SET.fullmatch(text)):
        raise _wrong(key, f"{text} behind {key.text} is no number")


def _is_day(text: str) -> bool:
    try:
        return bool(datetime.strptime(text, "%d-%b-%Y"))  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return False


def _wrong(word: Word, reason: str, hint: str = "") -> SourceMisconfigured:
    return SourceMisconfigured(f"search: raw: {word.place}: {reason}", hint=hint)
