"""A person is forgotten: what is stored of them goes, and what of it lies elsewhere is named."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from cgsync.custody import aside
from cgsync.errors import ControlError, LedgerDamaged, LedgerError
from cgsync.ledger import copies, forgetting, guard
from cgsync.ledger.forgetting import Found, Person, Told
from cgsync.operations.backup import FOLDER
from cgsync.operations.core import Core

MOST_PLACES = 100
"""Positions that are named of each source."""


async def forget(core: Core, name: str, *, dry_run: bool = False) -> Mapping[str, Any]:
    """Forget the person of that address, or of that reference; with ``dry_run`` only tell what that would remove.

    Once what is stored is removed, nothing raises: ``left`` says why the files may still hold bytes of it.
    """
    who = await core.ledger.read(partial(forgetting.person, name=name))
    await _require_known(core, who, name)
    if dry_run:
        return await _report(core, who, await _look(core, who))
    async with core.engine.custody.without_copies:  # one that began before would hold them, and not be listed
        told = await _remove(core, who)
        left = await _scour(core)
    core.engine.host.log.info("forgot a person", activities=told.activities.total(), rejects=told.rejects)
    return {**await _report(core, who, told), "left": left}


async def _require_known(core: Core, who: Person, name: str) -> None:
    """A reference of which nothing was ever stored is misspelled; an address is left out from now on anyway."""
    if who.address or who.record or await core.ledger.read(partial(forgetting.is_forgotten, reference=name)):
        return
    if not (await core.ledger.read(partial(forgetting.look_at_rejects, who=who))).rejects:
        raise ControlError(
            "nothing is known of that reference", hint="`cgsync outbox list` and `cgsync rejects list --each` show some"
        )


async def _look(core: Core, who: Person) -> Told:
    told = Told(accounts=await core.ledger.read(partial(forgetting.accounts, who=who)))
    async for found in _found(core, who):
        told.add(await core.ledger.read(partial(forgetting.tell, found=found)))
    return told


async def _remove(core: Core, who: Person) -> Told:
    """First they are barred: what is stored meanwhile is not theirs any more."""
    await core.ledger.write(partial(forgetting.bar, who=who, now=core.now()))
    told = Told(accounts=await core.ledger.write(partial(forgetting.remove_accounts, who=who)))
    await core.ledger.write(partial(forgetting.remove_words, who=who))
    async for found in _found(core, who):
        told.add(await core.ledger.write(partial(forgetting.remove, found=found, now=core.now())))
        if core.running:
            told.received = {**dict.fromkeys(core.engine.sender.withdraw(found.keys)), **told.received}
    await core.ledger.write(guard.lift_where_nothing_is_held)
    return told


async def _found(core: Core, who: Person) -> AsyncIterator[Found]:
    """What the rejects and then the activities hold, a part at a time, no activity twice."""
    found = await core.ledger.read(partial(forgetting.look_at_rejects, who=who))
    yield found
    seen = frozenset(found.keys)
    after: int | None = 0
    while after is not None:
        found, after = await aside(partial(_look_on, core, who, after))
        if found.keys:
            yield replace(found, keys=[key for key in found.keys if key not in seen])


def _look_on(core: Core, who: Person, after: int, _: object) -> tuple[Found, int | None]:
    return core.ledger.read_apart(partial(forgetting.look, who=who, after=after))


async def _scour(core: Core) -> Mapping[str, str]:
    """Why bytes of what was removed may still lie in the files of the ledger; empty when they do not."""
    try:
        await core.ledger.scour()
    except LedgerDamaged as error:
        core.engine.give_up(error)
        raise
    except LedgerError as error:
        return {"words": error.message, "hint": error.hint}
    return {}


async def _report(core: Core, who: Person, told: Told) -> Mapping[str, Any]:
    return {
        "address": who.address,
        "activities": dict(told.activities),
        "rejects": told.rejects,
        "accounts": told.accounts,
        "received": told.received,
        "places": {name: sorted(positions)[:MOST_PLACES] for name, positions in told.places.items()},
        "cursors": await core.ledger.read(partial(forgetting.cursors, who=who)),
        "backups": [str(path) for path in _backups(core)],
    }


def _backups(core: Core) -> list[Path]:
    """Every copy of the ledger that we know of: by schedule, by hand in its own folder, before a migration."""
    folders = {core.config.state_dir / FOLDER, *([core.config.backup.folder] if core.config.backup else [])}
    made = [each.path for folder in sorted(folders) for each in copies.in_folder(folder)]
    return sorted({*made, *copies.beside(core.ledger.file)})
