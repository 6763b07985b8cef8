"""Text that every store takes: without NUL and without halves of surrogate pairs."""

from __future__ import annotations

import re

UNSTORABLE = re.compile("[\x00\ud800-\udfff]+")


def scrubbed(text: str) -> tuple[str, int]:
    """The text without what no store takes, and how many characters that were."""
    found = UNSTORABLE.sub("", text)
    return found, len(text) - len(found)
