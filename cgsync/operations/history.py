"""What became of one reference, and whether the books balance."""

from __future__ import annotations

from functools import partial

from cgsync.errors import ControlError
from cgsync.ledger import Audit, Explanation, books, history
from cgsync.operations.core import Core


async def explain(core: Core, reference: str) -> Explanation:
    found = await core.ledger.read(partial(history.explain, reference=reference, now=core.now()))
    if found is None:
        raise ControlError(
            f"nothing is known of {reference!r}",
            hint="`cgsync rejects list --each` shows what did not become an activity",
        )
    return found


async def audit(core: Core) -> Audit:
    return await core.ledger.read(books.audit)
