"""`unknown_contact: drop`: an activity that is refused for its contact alone is sent once more without it."""

from __future__ import annotations

import msgspec

from cgsync.model import Outcome, Refused


def blames_contact(outcome: Outcome) -> bool:
    """Refused, and for nothing but the contact?"""
    return isinstance(outcome, Refused) and outcome.reasons.keys() == {"contact"}


def without_contact(body: bytes) -> bytes | None:
    """The same activity for the account alone; ``None`` when it names no contact."""
    activity = msgspec.json.decode(body)
    return msgspec.json.encode(activity) if activity.pop("contact", None) is not None else None
