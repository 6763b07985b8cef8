"""The nearest known word for one that is not known."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice

MAX_WORDS = 100
"""Words that are compared; a record with more fields than that is no help to a reader either."""


def did_you_mean(word: object, among: Iterable[object]) -> str:
    """``did you mean `subject`?``, or nothing when no word is near."""
    near = nearest(word, among)
    return f"did you mean `{near}`?" if near else ""


def nearest(word: object, among: Iterable[object]) -> str:
    """The word that is near; empty when there is none."""
    words = [str(each) for each in islice(among, MAX_WORDS) if isinstance(each, str)]
    near = get_close_matches(str(word)[:100], [each for each in words if len(each) <= 100], n=1)
    return near[0] if near else ""
