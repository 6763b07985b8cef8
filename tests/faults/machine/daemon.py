"""The daemon as the machine runs it: the real engine over parts that are in our hand, without its housekeeping."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any

from cgsync.config import SourceConfig
from cgsync.engine import Engine
from cgsync.ledger import basis
from cgsync.ledger.sources import Known
from cgsync.running import Running
from cgsync.sender import Sender
from tests.faults.machine.origin import Origin


def configuration(folder: Any, origins: Sequence[Origin]) -> Any:
    """What the engine asks a configuration for; a source has another fingerprint when it is set up otherwise."""
    sources = {
        origin.name: SimpleNamespace(
            name=origin.name, plugin="script", fingerprint=(origin.mended, origin.new_accounts)
        )
        for origin in origins
    }
    receiver = SimpleNamespace(identity="receiver", credentials="someone")
    return SimpleNamespace(
        state_dir=folder,
        receiver=receiver,
        overlay=None,
        retry_refused=None,
        disk_reserve=0,
        sources=sources,
        broken={},
        backup=None,
    )


class HandEngine(Engine):
    """``equip`` makes the parts of a source; ``on_failure`` hears what must end the process."""

    def __init__(
        self,
        *args: Any,
        sender: Sender,
        equip: Callable[[SourceConfig, Known], Running],
        on_failure: Callable[[BaseException], None],
        **more: Any,
    ) -> None:
        super().__init__(*args, **more)
        self.sender = sender
        self._equip = equip
        self._on_failure = on_failure

    def start(self, *, polling: bool = True) -> None:
        self._polling = polling
        self._send()
        for source in self.sources.values():
            self._launch(source)

    def give_up(self, error: BaseException) -> None:
        self._on_failure(error)

    async def _make_sender(self) -> None:
        await self.ledger.write(partial(basis.note_credentials, credentials=self.config.receiver.credentials))
        await self._halt_sending()

    async def _make(self, source: SourceConfig, known: Known) -> Running:
        return self._equip(source, known)
