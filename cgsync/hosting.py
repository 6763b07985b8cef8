"""What the core lends to a source while it is open: a log, time, HTTP, a place for secrets."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from cgsync import durable
from cgsync.api import Clock, Context, Log, Source, SourceType, Window
from cgsync.errors import PluginError
from cgsync.http.budgets import Budgets
from cgsync.http.circuit import Circuits
from cgsync.mapping import option_template
from cgsync.secrets import Redactor, Secret
from cgsync.sharing import Sharing

if TYPE_CHECKING:
    from cgsync.http import Http, Wrap


class Host:
    """What all sources of a daemon share."""

    def __init__(self, *, clock: Clock, log: Log, redactor: Redactor, state_dir: Path) -> None:
        self.clock = clock
        self.log = log
        self.redactor = redactor
        self.state_dir = state_dir
        self.budgets = Budgets({}, clock)
        self._circuits = Circuits(clock)
        self._shared = Sharing()

    def open(
        self,
        kind: SourceType,
        options: Mapping[str, Any],
        *,
        name: str,
        uid: str,
        log: Log,
        window: Window | None = None,
        wire: Wrap | None = None,
        clock: Clock | None = None,
    ) -> AbstractAsyncContextManager[Source]:
        """The source, to be entered; raises :class:`PluginError` when the plugin returns something else.

        ``wire`` is put around whatever it says by HTTP; ``clock`` is its time instead of the host's.
        """
        clock = clock or self.clock
        context = Context(
            name=name,
            log=log,
            clock=clock,
            http=partial(self._http, wire=wire, clock=clock),
            secrets=SecretFiles(self.state_dir / "secrets" / quote(uid, safe=""), self.redactor),
            template=option_template,
            shared=self._shared,
            window=window,
        )
        opened = kind.open(options, context)
        if not isinstance(opened, AbstractAsyncContextManager):
            raise PluginError(f"open() of {kind.name} returned {type(opened).__name__}, not an async context manager")
        return opened

    def _http(
        self, *, wire: Wrap | None, clock: Clock, budget: str | None = None, **options: Any
    ) -> AbstractAsyncContextManager[Http]:
        """A session with what the host knows: time, secrets, which hosts are left alone, and the pace of a budget."""
        from cgsync.http import open_http  # a quarter of a second that sources without network do not pay

        pace = {} if budget is None else {"pace": self.budgets.pace(budget)}
        shared = {"clock": clock, "redactor": self.redactor, "circuits": self._circuits, "wire": wire}
        return open_http(**{**options, **pace, **shared})


class SecretFiles:
    """Secrets that a source must remember, each a file of its own (0600) in the state folder."""

    def __init__(self, folder: Path, redactor: Redactor) -> None:
        self._folder = folder
        self._redactor = redactor

    def get(self, name: str) -> Secret | None:
        try:
            value = self._path(name).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        self._redactor.add(value)
        return Secret(value)

    async def put(self, name: str, value: str) -> None:
        """Durable before it returns: a rotated token whose predecessor is gone must not be lost."""
        self._redactor.add(value)
        await asyncio.to_thread(_replace, self._path(name), value.encode())

    def _path(self, name: str) -> Path:
        # the ending keeps apart what quoting does not: `..`, and the half-written file of another secret
        return self._folder / f"{quote(name, safe='')}.secret"


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    durable.sync(path.parent.parent)
    durable.replace(path, content, aside=path.with_name(path.name + ".new"), mode=0o600)
