"""How a session behaves: caps, certificates, retry, circuit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

MIB = 1024 * 1024
PATIENCE = timedelta(seconds=30)
"""A call waits no longer than that in all before it says :class:`SourceUnavailable`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """What a body may hold, in bytes, as it comes and as it expands."""

    received: int = 64 * MIB
    expanded: int = 256 * MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """``ca``: trusted instead of the system's. ``cert`` and ``key``: our own. PEM files. ``verify``: check theirs."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    verify: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """At most ``attempts`` requests and ``patience`` of waiting in all; waits double from ``first`` to ``longest``.

    ``jitter``: wait a random part of that. What the other side asks for is obeyed, or given back as ``retry_after``
    when it is more than the patience that is left.
    """

    attempts: int = 5
    patience: timedelta = PATIENCE
    first: timedelta = timedelta(seconds=1)
    longest: timedelta = PATIENCE
    jitter: bool = True

    def __post_init__(self) -> None:
        if self.patience > PATIENCE:
            raise ValueError(f"a call waits {PATIENCE.seconds} s at most")

    def wait(self, attempt: int, random: float) -> float:
        """Seconds before the next request after the failure number ``attempt``, from 0; ``random`` is in [0, 1)."""
        longest = min(self.first.total_seconds() * 2.0 ** min(attempt, 30), self.longest.total_seconds())
        return max(longest / 8, longest * random) if self.jitter else longest


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitBreaker:
    """After that many ``failures`` in a row of one origin, nothing is sent to it for the ``pause``."""

    failures: int = 10
    pause: timedelta = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A wire log: begun anew at ``size`` bytes, with ``keep`` full ones beside it."""

    file: Path
    size: int = 10 * MIB
    keep: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """How a wire is opened. ``timeout`` counts from the first byte sent, ``read_timeout`` between two pieces."""

    timeout: timedelta = timedelta(seconds=60)
    connect_timeout: timedelta = timedelta(seconds=10)
    read_timeout: timedelta | None = None
    caps: Caps = Caps()
    connections: int = 8
    tls: Tls = Tls()
    proxy: str | None = None
    user_agent: str = "cgsync"
