"""The guard: a run that would send far more than those before it, or make many accounts, waits for an operator.

What a source sends in one run is compared with its own history. Beyond that, the rest of the run is stored as held:
nothing is lost, nothing is sent, and the source says why until it is released.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select, update

from cgsync.ledger import counters, runs
from cgsync.ledger.schema import source as sources
from cgsync.model import Allowance, State

if TYPE_CHECKING:
    from cgsync.ledger.counters import Tally
    from cgsync.ledger.outbox.rows import Row

HISTORY = 30
"""Runs that a run is compared with."""
ENOUGH = 10
"""With fewer of them, nobody knows what is usual."""
FEWEST = 1_000
TIMES = 10
NEW_ACCOUNTS = 200


def allow(conn: Connection, source: str, new_accounts: int | None, *, first: bool = False) -> Allowance:
    """What a run of that source may send before the rest of it is held. ``new_accounts``: the limit, if it is set.

    The ``first`` run after a start may be the rest of one that was held and cut off: then it goes on as held.
    """
    if first and (why := reason(conn, source)):
        return Allowance(held=why)
    past = runs.sizes(conn, source, HISTORY)
    if len(past) < ENOUGH:
        return Allowance(most_accounts=new_accounts)
    most = max(FEWEST, TIMES * max(past))
    return Allowance(most_versions=most, most_accounts=NEW_ACCOUNTS if new_accounts is None else new_accounts)


def hold_back(
    conn: Connection,
    source: str,
    allowance: Allowance,
    wanted: Iterable[tuple[Row, str]],
    fresh: set[str],
    tally: Tally,
) -> Allowance:
    """Hold what the run may not send unasked; returns what it may after that.

    ``wanted``: each version with its account; ``fresh``: the accounts that are new.
    """
    unseen = fresh.copy()
    if allowance.held and reason(conn, source) is None:  # released meanwhile: an operator wants the rest too
        allowance = Allowance()
    why, versions, accounts = allowance.held, allowance.versions, allowance.accounts
    for row, account in wanted:
        if row.state != State.PENDING:
            continue
        versions, accounts = versions + 1, accounts + (account in unseen)
        unseen.discard(account)
        why = why or _excess(allowance, versions, accounts, account)
        if why:
            row.move(State.HELD, tally)
            row.due = None
    if why and not allowance.held:
        conn.execute(update(sources).where(sources.c.uid == source).values(guard=why))
    return replace(allowance, versions=versions, accounts=accounts, held=why)


def reason(conn: Connection, source: str) -> str | None:
    """Why a run of that source is held; ``None`` when none is."""
    return conn.execute(select(sources.c.guard).where(sources.c.uid == source)).scalar_one_or_none()


def lift(conn: Connection, source: str | None = None) -> None:
    """Say that what a run of that source (of all, without one) has left to send is wanted."""
    guarded = update(sources).where(sources.c.guard.is_not(None))
    conn.execute((guarded if source is None else guarded.where(sources.c.uid == source)).values(guard=None))


def lift_where_nothing_is_held(conn: Connection) -> None:
    """The guard of a source ends with the last version that was held."""
    held = counters.by_source(conn)
    for uid in conn.execute(select(sources.c.uid).where(sources.c.guard.is_not(None))).scalars().all():
        if not held.get(uid, {}).get(State.HELD.value):
            lift(conn, uid)


def _excess(allowance: Allowance, versions: int, accounts: int, account: str) -> str:
    """Why this version is one too many; empty when it is not."""
    most = allowance.most_versions
    if most is not None and versions > most:
        return f"more than {most:,} activities to send in one run, far more than in any of its last {HISTORY}"
    limit = allowance.most_accounts
    if limit is not None and accounts > limit:
        return f"more than {limit:,} new accounts in one run, {account!r} the first beyond that"
    return ""
