"""The state folder: that it is ours, who holds it, and where in it the ledger lies.

Apart from the ledger, so that a command which only speaks to the daemon needs no database to find it.
"""

from __future__ import annotations

from cgsync.state import folder
from cgsync.state.lock import Holder, Lock, lock_holder

LEDGER = "ledger.sqlite3"
"""The file of the ledger."""

__all__ = ["LEDGER", "Holder", "Lock", "folder", "lock_holder"]
