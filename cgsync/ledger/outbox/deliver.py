"""The usual outcome, written the short way: a version was delivered, and its row still wants that one.

Nearly all outcomes are of this kind. They need neither the whole row nor a look at what else it may want.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, Update, bindparam, select, update

from cgsync.ledger import counters
from cgsync.ledger.counters import Tally
from cgsync.ledger.epoch import Epoch
from cgsync.ledger.instant import Instant
from cgsync.ledger.schema import activity
from cgsync.ledger.statements import THESE, find, run_tuples
from cgsync.model import Delivered, Result, State

DONE = {"state": State.DELIVERED.value, "due": None, "failing": None, "attempts": 0, "retries": 0}
COLUMNS = (*DONE, "delivered_version", "delivered_at", "answer", "of_seq")


def deliver(conn: Connection, results: Sequence[Result], now: Instant, time: Epoch) -> Sequence[Result]:
    """Write down the deliveries that are as usual; the results that need a closer look come back."""
    waiting = _waiting(conn, [result.due.seq for result in results if isinstance(result.outcome, Delivered)], time)
    unusual: list[Result] = []
    done = tuple(DONE.values())
    rows: list[tuple[object, ...]] = []
    tally: Tally = Counter()
    stamp = now.stamp
    for result in results:
        key, version, source = waiting.pop(result.due.seq, ("", 0, ""))
        if not isinstance(result.outcome, Delivered) or (key, version) != (result.due.key, result.due.version):
            unusual.append(result)
            continue
        rows.append((*done, version, stamp, as_text(result.outcome.data), result.due.seq))
        tally[source, "delivered"] += 1
        tally[source, "pending"] -= 1
    run_tuples(conn, _update, COLUMNS, rows)
    counters.add(conn, tally)
    return unusual


def as_text(answer: Mapping[str, object]) -> str:
    """What a row remembers of the answer's data."""
    return msgspec.json.encode(answer, enc_hook=str).decode()


def _waiting(conn: Connection, seqs: Sequence[int], time: Epoch) -> dict[int, tuple[str, int, str]]:
    """Key, version and source of those rows that are pending and in no doubt, so that nothing else can change."""
    since = time.unclean_from if time.unclean_until > time.now else -math.inf
    return {
        seq: (key, version, source)
        for seq, key, version, source, state, doubt, queued in find(conn, _with_seqs, seqs)
        if state == State.PENDING and doubt is None and queued > since
    }


def _with_seqs(_: Connection) -> Select[Any]:
    row = activity.c
    columns = (row.seq, row.key, row.version, row.source, row.state, row.doubt, row.queued)
    return select(*columns).where(row.seq.in_([THESE]))


def _update(_: Connection) -> Update:
    return update(activity).where(activity.c.seq == bindparam("of_seq"))
