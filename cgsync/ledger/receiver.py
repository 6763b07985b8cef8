"""The ledger belongs to one receiver: with another, everything would look as if it had been delivered there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from cgsync.errors import LedgerRefused
from cgsync.ledger import check, database, meta, migrate, outbox
from cgsync.state import LEDGER, Lock, folder

RECEIVER = "receiver"


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """``previous`` receiver; ``queued`` activities are sent again, ``without_body`` only when next read."""

    previous: str | None
    queued: int = 0
    without_body: int = 0


def bind(conn: Connection, receiver: str, file: Path) -> None:
    """Bind a new ledger to ``receiver``; raise :class:`LedgerRefused` when it belongs to another."""
    bound = meta.get(conn, RECEIVER)
    if bound is None:
        meta.put(conn, RECEIVER, receiver)
    elif bound != receiver:
        raise LedgerRefused(
            f"{file} tells what was sent to {bound}, the configuration names {receiver}",
            hint="`cgsync doctor --new-receiver resend` sends all of it there, `keep` takes it as delivered there",
        )


def adopt_receiver(state_dir: Path, receiver: str, *, resend: bool) -> Adopted:
    """Bind the ledger in ``state_dir`` to ``receiver``, under its lock.

    With ``resend`` all that was ever wanted at the old receiver is queued again, else what was delivered there is
    taken as delivered here.
    """
    with _alone(state_dir) as conn:
        previous = meta.get(conn, RECEIVER)
        meta.put(conn, RECEIVER, receiver)
        if not resend or previous == receiver:
            return Adopted(previous=previous)
        requeued = outbox.requeue(conn)
        return Adopted(previous=previous, queued=requeued.queued, without_body=requeued.without_body)


def distrust(state_dir: Path) -> outbox.Requeued:
    """Queue everything again, under the lock: the file is an old copy, so nobody knows what was sent since.

    Raises :class:`LedgerDamaged` when that copy is not sound either.
    """
    with _alone(state_dir, restored=True) as conn:
        return outbox.requeue(conn)


@contextmanager
def _alone(state_dir: Path, *, restored: bool = False) -> Iterator[Connection]:
    """One transaction on the ledger in ``state_dir``, with nobody else at it. A ``restored`` one is to be sound."""
    file = state_dir / LEDGER
    if not file.exists():
        raise LedgerRefused(f"there is no ledger in {state_dir}", hint="is state_dir: the right one?")
    folder.prepare(state_dir)
    lock = Lock(state_dir)
    try:
        if restored:
            with database.translated(file):
                check.require_sound(file)
            check.clear(file)
        check.refuse_marked(file)
        engine = database.writer(file)
        try:
            with database.translated(file):
                migrate.bring_up(engine, file)
                with engine.begin() as conn:
                    yield conn
        finally:
            engine.dispose()
    finally:
        lock.release()
