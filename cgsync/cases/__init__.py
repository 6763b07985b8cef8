"""The configuration's own tests: what a source said once, kept in files, and what became of it, compared with today."""

from __future__ import annotations

from cgsync.cases.comparing import Difference, compared
from cgsync.cases.folder import Case, Expected, cases, named
from cgsync.cases.recording import Recorded, keep, record
from cgsync.cases.replaying import Outcome, replayed

__all__ = [
    "Case",
    "Difference",
    "Expected",
    "Outcome",
    "Recorded",
    "cases",
    "compared",
    "keep",
    "named",
    "record",
    "replayed",
]
