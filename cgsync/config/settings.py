"""The configuration as the program uses it: checked, complete, with every `${…}` replaced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from zoneinfo import ZoneInfo

from cgsync.api import SourceType
from cgsync.config.diagnostics import Diagnostic
from cgsync.plugins import BrokenPlugin
from cgsync.secrets import Secret

if TYPE_CHECKING:
    from cgsync.mapping import MappingSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverConfig:
    """Where activities go. ``url`` is the whole endpoint; ``rate_limit`` is in requests per second."""

    url: str
    token_url: str
    client_id: str
    client_secret: Secret
    rate_limit: float = 10.0
    concurrency: int = 8
    timestamps: Literal["utc", "offset"] = "utc"
    unknown_contact: Literal["refuse", "drop"] = "refuse"
    timeout: timedelta = timedelta(seconds=30)
    ca_file: Path | None = None
    allow_insecure: bool = False

    @property
    def identity(self) -> str:
        """What the ledger belongs to."""
        return f"{self.url} as {self.client_id}"

    @property
    def credentials(self) -> str:
        """A digest of all on our side that can decide whether the receiver takes an activity."""
        parts = "\0".join([self.client_id, self.client_secret.reveal(), self.unknown_contact])
        return blake2b(parts.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a source is polled: ``every`` or ``cron``, never both."""

    every: timedelta | None = None
    cron: str | None = None
    timezone: ZoneInfo
    jitter: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupConfig:
    """A table that templates look things up in."""

    name: str
    file: Path
    key: str | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogConfig:
    """How much is logged, and in which form; ``auto`` is the journal's own under systemd."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "console"] = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a source may do before it waits for an operator; ``new_accounts`` of one run, ``None``: what is usual.

    ``rejects``: so many of it are kept.
    """

    new_accounts: int | None = None
    rejects: int = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionConfig:
    """For how long what was delivered keeps its body and its record, and a reject stays after it was last seen."""

    bodies: timedelta = timedelta(days=30)
    records: timedelta = timedelta(days=7)
    rejects: timedelta = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupConfig:
    """Copies of the ledger: one ``every`` so often into ``folder``, of which the newest ``keep`` stay; 0: none."""

    folder: Path
    every: timedelta = timedelta(days=1)
    keep: int = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class WebConfig:
    """Where HTTP is spoken. ``hosts`` are further names by which it may be asked for.

    ``chosen``: the address was written down, so it is a mistake when it cannot be had.
    """

    host: str
    port: int
    hosts: tuple[str, ...] = ()
    chosen: bool = True


LEARNED, OFF = "learned", "off"
Wanted: TypeAlias = "timedelta | str"
"""For how long nothing new may come of a source: so long, ``LEARNED`` or ``OFF``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceConfig:
    """One source. ``options`` is what the plugin's ``open`` gets, frozen.

    ``expanded_from`` is the name in the configuration of an entry that stands for several sources.
    ``fingerprint`` changes when anything that concerns this source changes, secrets included.
    """

    name: str
    plugin: str
    type: SourceType
    options: Mapping[str, Any]
    schedule: Schedule
    timezone: ZoneInfo
    mapping: MappingSpec
    shared: bool = False
    limits: Limits = Limits()
    freshness: Wanted = LEARNED
    """for how long nothing new may come of it"""
    expanded_from: str | None = None
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """All of it. ``files`` are those that were read, in order; ``broken`` holds sources whose plugin is unusable."""

    path: Path
    files: tuple[Path, ...]
    receiver: ReceiverConfig
    state_dir: Path
    runtime_dir: Path
    lookups: Mapping[str, LookupConfig] = field(default_factory=dict)
    sources: Mapping[str, SourceConfig] = field(default_factory=dict)
    broken: Mapping[str, BrokenPlugin] = field(default_factory=dict)
    overlay: Mapping[str, Any] | None = None
    budgets: Mapping[str, float] = field(default_factory=dict)
    """requests a second, by name"""
    log: LogConfig = LogConfig()
    plugin_dir: Path | None = None
    retry_refused: timedelta = timedelta(days=7)
    retention: RetentionConfig = RetentionConfig()
    disk_reserve: int = 100 * 2**20
    """bytes"""
    backup: BackupConfig | None = None
    web: WebConfig | None = None
    warnings: tuple[Diagnostic, ...] = ()
