"""The ledger: what was read, what is wanted at the receiver, what was sent, what was refused; the only SQL.

:class:`Ledger` owns the database: one thread writes, one reads. What is done in a transaction are functions
``f(conn, ...)`` in the modules named by their subject: ``ledger.write(partial(outbox.store, intake=..., now=...))``.
"""

from __future__ import annotations

from cgsync.ledger import (
    attempts,
    basis,
    books,
    checkpoints,
    freshness,
    guard,
    history,
    mappings,
    outbox,
    rejects,
    retention,
    retrials,
    runs,
    sending,
    settlements,
    sources,
)
from cgsync.ledger.books import Audit
from cgsync.ledger.history import Explanation
from cgsync.ledger.instant import Instant
from cgsync.ledger.receiver import Adopted, adopt_receiver, distrust
from cgsync.ledger.reference import key
from cgsync.ledger.rejects import Rejected
from cgsync.ledger.sources import PluginChanged
from cgsync.ledger.store import SETTLE_TIME, Ledger

__all__ = [
    "SETTLE_TIME",
    "Adopted",
    "Audit",
    "Explanation",
    "Instant",
    "Ledger",
    "PluginChanged",
    "Rejected",
    "adopt_receiver",
    "attempts",
    "basis",
    "books",
    "checkpoints",
    "distrust",
    "freshness",
    "guard",
    "history",
    "key",
    "mappings",
    "outbox",
    "rejects",
    "retention",
    "retrials",
    "runs",
    "sending",
    "settlements",
    "sources",
]
