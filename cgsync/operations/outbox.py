"""The outbox in the hands of an operator: look, hold, release."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from typing import Any

from cgsync.errors import ControlError
from cgsync.ledger import guard, key, outbox, sources
from cgsync.model import State
from cgsync.operations.core import Core

SOME = 1_000
"""Rows that are held or released in one transaction."""
WAITING = (State.PENDING, State.REFUSED)
LOOK = "`cgsync outbox list` shows what is not delivered"


async def list_rows(
    core: Core,
    references: Sequence[str] = (),
    source: str | None = None,
    state: str | None = None,
    limit: int = 1000,
) -> Any:
    if references:
        return [(await show(core, reference)).row for reference in references]
    return await core.ledger.read(partial(outbox.list_rows, now=core.now(), state=state, source=source, limit=limit))


async def show(core: Core, reference: str) -> outbox.Wanted:
    found = await core.ledger.read(partial(outbox.show, now=core.now(), reference=reference))
    if found is None:
        raise ControlError(f"nothing is known of {reference!r}", hint=LOOK)
    return found


async def hold(
    core: Core, references: Sequence[str] = (), source: str | None = None, state: str | None = None
) -> Mapping[str, Any]:
    """Keep these, or all that waits (of a source, in a state), from being sent until they are released."""
    left = await _others(core, references, WAITING)
    states = WAITING if state is None else (State(state),)
    held = 0
    async for keys in _chosen(core, references, source, states):
        held += await core.ledger.write(partial(outbox.hold, references=keys))
        if core.running:
            core.engine.sender.withdraw(keys)
    return {"held": held, "left": left}


async def release(core: Core, references: Sequence[str] = (), source: str | None = None) -> Mapping[str, Any]:
    """Let these, or all that is held (of a source), be sent, and lift the guard that held them."""
    left = await _others(core, references, (State.HELD,))
    if not references:  # first, so that what a run brings meanwhile is not held any more
        await core.ledger.write(partial(guard.lift, source=await core.uid(source) if source else None))
    released = 0
    async for keys in _chosen(core, references, source, (State.HELD,)):
        released += await core.ledger.write(partial(outbox.release, references=keys, now=core.now()))
        if core.running:
            core.engine.sender.look()
    await core.ledger.write(guard.lift_where_nothing_is_held)
    return {"released": released, "left": left}


async def _others(core: Core, references: Sequence[str], states: Sequence[State]) -> Mapping[str, str]:
    """Those of the references that are in another state; raises for what was never stored."""
    found = await core.ledger.read(partial(outbox.states, references=references))
    if unknown := [reference for reference in references if reference not in found]:
        raise ControlError(f"nothing is known of {', '.join(map(repr, unknown))}", hint=LOOK)
    return {reference: state for reference, state in found.items() if state not in states}


async def _chosen(
    core: Core, references: Sequence[str], source: str | None, states: Sequence[State]
) -> AsyncIterator[Sequence[str]]:
    """Keys of what is meant, some at a time: nobody else is to wait for a transaction over a million rows."""
    if references:
        for start in range(0, len(references), SOME):
            yield [key(reference) for reference in references[start : start + SOME]]
        return
    uids = [await core.uid(source)] if source else [each.uid for each in await core.ledger.read(sources.list_sources)]
    for uid in uids:
        for state in states:
            after = 0
            while rows := await core.ledger.read(partial(outbox.walk, uid=uid, state=state, after=after, limit=SOME)):
                after = rows[-1][0]
                yield [each for _, each in rows]
