"""How a command reaches ledger, sources and secrets: through the daemon when one runs, else by itself."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import msgspec

from cgsync import control, logs
from cgsync.config import Config, load, locate
from cgsync.errors import ControlError, NoDaemon
from cgsync.secrets import Redactor
from cgsync.state import LEDGER, lock_holder

if TYPE_CHECKING:
    from cgsync.operations import Core

TRIALS = frozenset({"preview", "check", "record"})
"""verbs that are of use before anything was ever stored"""
READING = TRIALS | {"plan", "apply"}
"""verbs for which the daemon reads its configuration anew"""


class Session:
    """One command's way in."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def carry(self, verb: str, **args: Any) -> Any:
        """Have one verb carried out and return its result as JSON-like data."""
        if (socket := self.daemon(reading=verb in READING)) is not None:
            return control.ask(socket, verb, args)
        return msgspec.to_builtins(asyncio.run(self._alone(verb, args)), enc_hook=str)

    def daemon(self, *, reading: bool = False) -> Path | None:
        """The socket of the daemon that holds the ledger, if there is one. ``reading``: this file is what it is for."""
        places = locate(self._path)
        try:
            holder = lock_holder(places.state_dir)
        except PermissionError:  # who may command need not be allowed to read the state: ask at the usual place
            return places.runtime_dir / "control.sock"
        if holder is None:
            return None
        if holder.control is None:
            raise ControlError(
                f"process {holder.pid} holds the ledger and takes no commands", hint="wait until it ends"
            )
        if reading and holder.config not in (None, self._path.resolve()):
            raise ControlError(
                f"the daemon that holds {places.state_dir} works from {holder.config}, not from {self._path}",
                hint=f"say `-c {holder.config}`, or give this file a state_dir of its own",
            )
        return holder.control

    def require_daemon(self, *, reading: bool = False) -> Path:
        if (socket := self.daemon(reading=reading)) is None:
            raise NoDaemon("no daemon runs on this configuration", hint=f"start it with `cgsync run -c {self._path}`")
        return socket

    async def _alone(self, verb: str, args: dict[str, Any]) -> Any:
        from cgsync import operations

        async with self.alone(trial=verb in TRIALS) as core:
            return await operations.carry(verb, args, core)

    @contextlib.asynccontextmanager
    async def alone(self, *, trial: bool) -> AsyncIterator[Core]:
        """What a command works with when it does so itself. A ``trial`` needs no ledger, and leaves none behind.

        The engine is not assembled: that would tell the ledger of every source in the configuration, and a rename, or
        dropping what another plugin left, comes before that.
        """
        from cgsync.daemon import assembled
        from cgsync.operations import Core

        config, redactor = self.load()
        logs.configure("warning", config.log.format, redactor)  # to stderr, beside what the command prints
        with TemporaryDirectory(prefix="cgsync-") as scratch:
            if not (config.state_dir / LEDGER).exists():
                if not trial:
                    raise ControlError(f"nothing is stored in {config.state_dir} yet", hint="`cgsync run` starts it")
                config = replace(config, state_dir=Path(scratch))
            async with assembled(config, redactor) as engine:
                yield Core.of(engine, self._path, running=False)

    def load(self) -> tuple[Config, Redactor]:
        redactor = Redactor()
        return load(self._path, redactor=redactor), redactor
