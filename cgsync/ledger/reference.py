"""When two references are the same one.

The receiver may compare without regard to case, accents and trailing blanks. Two texts that it could take for one
must be one row here, or each poll would overwrite at the receiver what the other wrote. Rows are found by what
stands here, so it never changes: the tests hold the vectors.
"""

from __future__ import annotations

import unicodedata


def key(reference: str) -> str:
    """The normalised reference: NFKD, without marks, casefolded, trimmed on the right; ``key(key(x)) == key(x)``."""
    if reference.isascii():
        return reference.lower().rstrip()
    folded = _without_marks(reference)
    while (again := _without_marks(folded.casefold())) != folded:  # folding can uncover marks, and the reverse
        folded = again
    return folded.rstrip()


def _without_marks(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
