"""The outbox: what is wanted at the receiver, and how far each version of it came.

There is one row per reference. It holds the *desired* body and where that stands; a newer version replaces it.
"""

from __future__ import annotations

from cgsync.ledger.outbox.due import due, next_due, pending_count
from cgsync.ledger.outbox.foresee import Change, Foreseen, foresee
from cgsync.ledger.outbox.hand import Requeued, drop_source, hold, leave_refused, release, requeue, retry
from cgsync.ledger.outbox.listing import Listed, Wanted, list_rows, show, states, walk
from cgsync.ledger.outbox.settle import settle
from cgsync.ledger.outbox.store import store

__all__ = [
    "Change",
    "Foreseen",
    "Listed",
    "Requeued",
    "Wanted",
    "drop_source",
    "due",
    "foresee",
    "hold",
    "leave_refused",
    "list_rows",
    "next_due",
    "pending_count",
    "release",
    "requeue",
    "retry",
    "settle",
    "show",
    "states",
    "store",
    "walk",
]
