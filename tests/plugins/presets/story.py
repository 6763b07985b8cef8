"""What happens at every vendor: four records, two of a known company with a known person, and what changes at nine."""

from __future__ import annotations

from dataclasses import dataclass

ACME, BETA, ANN = "Acme Ltd", "Beta GmbH", "ann@acme.example"
NINE = "2026-03-04T09:00:00"
"""When the first record changes and the last one appears."""


@dataclass(frozen=True, slots=True)
class Case:
    """One record, before a vendor has put it into words. The times are UTC, without saying so."""

    number: int
    begun: str
    changed: str
    account: str = ""
    contact: str = ""

    @property
    def title(self) -> str:
        return f"Question {self.number}"


STORY = (
    Case(1, "2026-02-20T08:00:00", "2026-02-20T09:00:00", ACME, ANN),
    Case(2, "2026-02-21T08:00:00", "2026-02-22T09:00:00", BETA),
    Case(3, "2026-02-22T08:00:00", "2026-02-23T09:00:00", "", ANN),
    Case(4, "2026-02-23T08:00:00", "2026-02-24T09:00:00", ACME, ANN),
)
NEWS = Case(5, "2026-03-04T08:30:00", NINE, BETA)
