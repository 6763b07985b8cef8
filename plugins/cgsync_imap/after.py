"""What happens to messages whose records are stored: flagged, moved or deleted, and nothing else in the folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cgsync.api import Json, Log, SourceMisconfigured
from cgsync_imap.errors import Refused
from cgsync_imap.session import Selected, Session
from cgsync_imap.settings import After


class Aftermath:
    """Does to messages what the option ``after`` says."""

    def __init__(self, after: After, log: Log) -> None:
        self._after = after
        self._log = log

    def check(self, capabilities: frozenset[str]) -> None:
        """Raise :class:`SourceMisconfigured` where the server cannot do it without touching what others marked."""
        alone = "UIDPLUS" in capabilities
        if self._after.delete and not alone:
            raise SourceMisconfigured(
                "after: delete: this server (without UIDPLUS) could only delete together with what others marked",
                hint="use `after: { move: … }` or `after: { flag: … }`",
            )
        if self._after.move and not alone and "MOVE" not in capabilities:
            raise SourceMisconfigured(
                "after: move: this server has neither MOVE nor UIDPLUS", hint="use `after: { flag: … }`"
            )

    async def settle(self, session: Session, done: Sequence[Json]) -> None:
        """Items of ``Batch.done``, as often as it takes. Raises what the session raises."""
        self.check(await session.capabilities())
        for item in done:
            if isinstance(item, Mapping):
                await self._settle(session, item)

    async def _settle(self, session: Session, item: Mapping[str, Any]) -> None:
        selected = await session.select(item["folder"])
        if selected.uidvalidity != item["uidvalidity"]:
            self._log.warning(
                "left as they are: the folder was numbered anew", folder=selected.name, messages=item["uids"]
            )
            return
        uids = await session.present(item["uids"])
        if not uids:
            return
        if self._after.flags:
            await self._flag(session, selected, uids)
        elif self._after.delete:
            await session.delete(uids)
        else:
            await self._move(session, uids)

    async def _flag(self, session: Session, selected: Selected, uids: Sequence[int]) -> None:
        kept = {flag.casefold() for flag in selected.keeps}
        lost = [flag for flag in self._after.flags if flag.casefold() not in kept and not _is_new(flag, kept)]
        if lost:
            raise SourceMisconfigured(f"after: flag: {selected.name} does not keep {', '.join(lost)}")
        await session.flag(uids, self._after.flags)

    async def _move(self, session: Session, uids: Sequence[int]) -> None:
        target = self._after.move
        try:
            await session.move(uids, target)
        except Refused:
            if await session.exists(target):
                raise
            await session.create(target)
            await session.move(uids, target)


def _is_new(flag: str, kept: set[str]) -> bool:
    """Whether it is a keyword that the folder would take although it does not know it yet."""
    return "\\*" in kept and not flag.startswith("\\")
