"""Message ids, and the conversation that they tell of."""

from __future__ import annotations

import re

from cgsync.formats.mail.charsets import as_text

ID = re.compile(r"<([^<>]{1,998})>")
MOST = 100


def ids_in(value: bytes) -> list[str]:
    """The ids of a header without their brackets, of very many the first and the last; a lone word is one, too."""
    text = as_text(value)
    found = ["".join(each.split()) for each in ID.findall(text)] or text.split(maxsplit=1)[:1]
    ids = [each for each in found if each.isprintable() and 0 < len(each) <= 998]
    return ids[:1] + ids[1:][-MOST:]
