"""An activity without its contact."""

from __future__ import annotations

import msgspec

from cgsync.delivery.contact import blames_contact, without_contact
from cgsync.model import Delivered, Refused


def test_only_a_refusal_for_the_contact_alone_counts() -> None:
    assert blames_contact(Refused(status=422, reasons={"contact": "unknown"}))
    assert not blames_contact(Refused(status=422, reasons={"contact": "unknown", "type": "missing"}))
    assert not blames_contact(Delivered(status=200))


def test_everything_else_stays() -> None:
    rest = without_contact(b'{"account":"A","contact":"x@y.z","n":123456789012345678901234567890}')
    assert rest is not None
    assert msgspec.json.decode(rest) == {"account": "A", "n": 123456789012345678901234567890}


def test_without_a_contact_there_is_nothing_to_drop() -> None:
    assert without_contact(b'{"account":"A"}') is None
