"""The options of ``incremental``, checked and in one shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from cgsync.api import SourceMisconfigured
from cgsync.formats import Path
from cgsync_rest.paths import path
from cgsync_rest.scales import IntegerScale, Scale, TimeScale
from cgsync_rest.timestamps import Timestamps, zone_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Incremental:
    """``scale`` ``None``: the position is a token of the API, found at ``token``. ``step``: the length of a window."""

    field: str = ""
    token: Path | None = None
    scale: Scale | None = None
    start: str | None = None
    param: str | None = None
    end_param: str | None = None
    step: timedelta | None = None
    lookback: timedelta | int = timedelta(0)
    order: str = "none"
    stop_at_seen: bool = False
    client: bool = False
    on_missing: str = "fail"

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Self:
        """Raises :class:`SourceMisconfigured` for what does not go together."""
        kind = options.get("kind", "datetime")
        incremental = cls(
            field=options.get("field", ""),
            token=path(options.get("path"), "incremental: path"),
            scale=_scale(kind, options),
            start=options.get("start"),
            param=options.get("param"),
            end_param=options.get("end_param"),
            step=options.get("window", {}).get("step"),
            lookback=_lookback(kind, options.get("lookback")),
            order=options.get("order", "none"),
            stop_at_seen=options.get("stop_at_seen", False),
            client=options.get("filter", "server") == "client" or options.get("stop_at_seen", False),
            on_missing=options.get("on_missing", "fail"),
        )
        incremental.check(kind)
        return incremental

    def check(self, kind: str) -> None:
        if self.step is not None and (kind != "datetime" or self.step <= timedelta(0)):
            raise SourceMisconfigured("incremental: window: its step is a time, and needs `kind: datetime`")
        if self.stop_at_seen and self.order != "desc":
            raise SourceMisconfigured("incremental: stop_at_seen needs `order: desc`")
        if self.scale is not None and self.start is not None:
            try:
                self.scale.start(self.start, datetime.now().astimezone())
            except ValueError as error:
                raise SourceMisconfigured(f"incremental: start: {error}", hint="as 2024-01-01, or now-30d") from None

    def first(self, now: datetime) -> Any:
        """Where the very first run starts; ``None``: at the beginning of everything."""
        if self.start is None or self.scale is None:
            return self.start
        return self.scale.start(self.start, now)

    def write(self, value: Any) -> Any:
        """As a request says it."""
        return value if value is None or self.scale is None else self.scale.write(value)


def _scale(kind: str, options: Mapping[str, Any]) -> Scale | None:
    if kind == "opaque":
        return None
    if kind == "integer":
        return IntegerScale()
    formats = options.get("formats", ("iso", "epoch"))
    return TimeScale(Timestamps(formats, options.get("request_format", "iso"), zone_of(options.get("timezone", "UTC"))))


def _lookback(kind: str, given: Any) -> timedelta | int:
    if kind == "integer" and (given is None or isinstance(given, int)):
        return given or 0
    if kind == "datetime" and (given is None or isinstance(given, timedelta)):
        return given or timedelta(0)
    if given is None:
        return 0
    raise SourceMisconfigured(
        f"incremental: lookback: {given} does not fit `kind: {kind}`", hint="a duration for times, a count for numbers"
    )
