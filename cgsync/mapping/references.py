"""References: what names an activity for ever. The test vectors of this module never change."""

from __future__ import annotations

from hashlib import blake2b

LIMIT = 128
"""Characters that the API takes."""
KEPT = 95
"""Characters of a longer reference that stay readable; a colon and 32 hexadecimal digits follow them."""


def default_reference(uid: str, key: str) -> str:
    """The reference of a record whose mapping names none."""
    return fitted(f"{uid}:{key}")


def fitted(reference: str) -> str:
    """The reference itself, or for a longer one its beginning and a digest of the whole: never merely cut."""
    if len(reference) <= LIMIT:
        return reference
    return f"{reference[:KEPT]}:{blake2b(reference.encode(), digest_size=16).hexdigest()}"
