"""References: what names an activity for ever. The test vectors of this module never change."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b

LIMIT = 128
"""Characters that the API takes."""
KEPT = 95
"""Characters of a longer reference that stay readable; a colon and 32 hexadecimal digits follow them."""
FRAMED = re.compile(r"([^{}]*)\{\{[^{}]*\}\}([^{}]*)")


def default_reference(uid: str, key: str) -> str:
    """The reference of a record whose mapping names none."""
    return fitted(f"{uid}:{key}")


def fitted(reference: str) -> str:
    """The reference itself, or for a longer one its beginning and a digest of the whole: never merely cut."""
    if len(reference) <= LIMIT:
        return reference
    return f"{reference[:KEPT]}:{blake2b(reference.encode(), digest_size=16).hexdigest()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What stands around the one value in a source's references: ``order-`` in ``order-4711``."""

    before: str
    after: str

    def around(self, value: str) -> str:
        return fitted(f"{self.before}{value}{self.after}")

    def within(self, reference: str) -> str | None:
        """The value in a reference; ``None`` when it is framed otherwise."""
        start, end = len(self.before), len(reference) - len(self.after)
        fits = reference.startswith(self.before) and reference.endswith(self.after) and start < end
        return reference[start:end] if fits else None


def frame_of(template: str) -> Frame | None:
    """The frame in a template of references with one expression; ``None`` when it is no such template."""
    found = FRAMED.fullmatch(template)
    return Frame(before=found[1], after=found[2]) if found else None
