"""Stand-ins for what the core lends to a source: time, a log, a store of secrets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cgsync.api import Clock, Context, Log, Secret, SecretStore, Shares, Template, Window
from cgsync.sharing import Sharing

if TYPE_CHECKING:
    from cgsync.http import Http


class FakeClock:
    """Time that passes only by :meth:`sleep` and :meth:`advance`. It starts at ``now``, or at the real time."""

    def __init__(self, now: datetime | None = None) -> None:
        self._now = now or datetime.now(UTC)
        self._monotonic = 1000.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    async def sleep(self, seconds: float) -> None:
        """Let that time pass at once; others get their turn."""
        self.advance(timedelta(seconds=seconds))
        await asyncio.sleep(0)

    def advance(self, time: timedelta) -> None:
        self._now += time
        self._monotonic += time.total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a log."""

    level: str
    event: str
    values: dict[str, Any]


class MemoryLog:
    """A log that remembers its lines."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    def debug(self, event: str, **values: Any) -> None:
        self.lines.append(Line(level="debug", event=event, values=values))

    def info(self, event: str, **values: Any) -> None:
        self.lines.append(Line(level="info", event=event, values=values))

    def warning(self, event: str, **values: Any) -> None:
        self.lines.append(Line(level="warning", event=event, values=values))

    def error(self, event: str, **values: Any) -> None:
        self.lines.append(Line(level="error", event=event, values=values))

    @property
    def text(self) -> str:
        """All of it as text, for a search."""
        return "\n".join(f"{line.level} {line.event} {line.values}" for line in self.lines)


@dataclass(slots=True)
class MemorySecrets:
    """A store of secrets that does not outlive the test."""

    values: dict[str, str] = field(default_factory=dict)

    def get(self, name: str) -> Secret | None:
        return Secret(self.values[name]) if name in self.values else None

    async def put(self, name: str, value: str) -> None:
        self.values[name] = value


def context(
    *,
    name: str = "source",
    clock: Clock | None = None,
    log: Log | None = None,
    secrets: SecretStore | None = None,
    http: Callable[..., AbstractAsyncContextManager[Http]] | None = None,
    template: Callable[[str], Template] | None = None,
    shared: Shares | None = None,
    window: Window | None = None,
) -> Context:
    """What the core lends to an open source: stand-ins, and the real HTTP and the real templates."""
    return Context(
        name=name,
        clock=clock or FakeClock(),
        log=log or MemoryLog(),
        secrets=secrets or MemorySecrets(),
        http=http or _real_http,
        template=template or _real_template,
        shared=shared or Sharing(),
        window=window,
    )


def _real_http(**options: Any) -> AbstractAsyncContextManager[Http]:
    from cgsync.http import open_http  # a quarter of a second that tests without network do not pay

    return open_http(**options)


def _real_template(text: str) -> Template:
    from cgsync.mapping import option_template

    return option_template(text)
