"""What a stream reads by: the options of the source, compiled."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

import msgspec

from cgsync.api import Clock, SourceMisconfigured, Window
from cgsync_rest.drafts import Drafter
from cgsync_rest.incremental import Incremental
from cgsync_rest.keys import key_of
from cgsync_rest.lookups import LookUp
from cgsync_rest.pagers import Pager, pager_of
from cgsync_rest.rendering import Compile, is_template
from cgsync_rest.request import Addition, RequestForm
from cgsync_rest.scales import TimeScale
from cgsync_rest.selection import Selection
from cgsync_rest.stops import Stops
from cgsync_rest.walk import Span

ASKS = ("url", "method", "params", "param_lists", "body", "paginate", "incremental", "for_each", "records")
"""The options that decide what is asked: a walk that was interrupted goes on only under the same ones."""


class Lent(Protocol):
    """What of the :class:`Context` it takes to compile the options."""

    @property
    def template(self) -> Compile: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def window(self) -> Window | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """``shape``: a digest of what is asked. ``secret``: the parameter with our key. ``window``: of a backfill."""

    form: RequestForm
    pager: Pager
    stops: Stops
    incremental: Incremental | None
    drafter: Drafter
    look_ups: Sequence[LookUp]
    shape: str
    secret: str | None = None
    window: Window | None = None

    @classmethod
    def of(cls, options: Mapping[str, Any], lent: Lent) -> Self:
        """Raises :class:`SourceMisconfigured` for what does not go together."""
        compile_ = lent.template
        incremental = Incremental.of(options["incremental"]) if "incremental" in options else None
        _check_window(lent.window, incremental, options)
        headers = {name: raw for name, raw in options.get("headers", {}).items() if is_template(raw)}
        return cls(
            form=RequestForm(options, compile_, headers=headers),
            pager=pager_of(options.get("paginate", {})),
            stops=Stops.of(options.get("paginate", {}), compile_),
            incremental=incremental,
            drafter=Drafter(
                selection=Selection.of(options.get("records", {}), compile_),
                key=key_of(options["key"], compile_),
                incremental=incremental,
                largest=options.get("limits", {}).get("record", 1024 * 1024),
                bounded=lent.window is not None,
            ),
            look_ups=[
                LookUp.of(name, each, compile_, lent.clock, options["url"])
                for name, each in options.get("enrich", {}).items()
            ],
            shape=shape_of(options),
            secret=secret_param(options.get("auth", {})),
            window=lent.window,
        )

    @property
    def asks_by_time(self) -> bool:
        """Whether the API can be asked for what changed since a time."""
        incremental = self.incremental
        return incremental is not None and isinstance(incremental.scale, TimeScale) and incremental.param is not None

    def position(self, span: Span) -> tuple[Mapping[str, Any], Addition]:
        """The variables that tell where the span lies, and what it adds to the request."""
        incremental = self.incremental
        if incremental is None:
            return {"cursor": None, "window": {"start": None, "end": None}}, Addition()
        since, end = incremental.write(span.since), incremental.write(span.end)
        variables = {"cursor": since, "window": {"start": since, "end": end}}
        named = {incremental.param: since, incremental.end_param: end}
        params = {name: value for name, value in named.items() if name is not None and value is not None}
        return variables, Addition(params=params)


def secret_param(auth: Mapping[str, Any]) -> str | None:
    """The parameter of the query that holds a key or a token, which an API may repeat in the address of a page."""
    place = auth.get("api_key") or auth.get("session", {}).get("inject", {})
    return place.get("name") if place.get("in") == "query" else None


def shape_of(options: Mapping[str, Any]) -> str:
    """Secrets are not part of it; they do not change what is asked for."""
    asked = {name: options[name] for name in ASKS if name in options}
    return hashlib.blake2b(msgspec.json.encode(_plain(asked), order="deterministic"), digest_size=6).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _check_window(window: Window | None, incremental: Incremental | None, options: Mapping[str, Any]) -> None:
    if window is not None and options.get("incremental", {}).get("kind", "") != "datetime":
        raise SourceMisconfigured(
            "a backfill needs a source with `incremental: kind: datetime`",
            hint="`cgsync checkpoint reset` reads everything again",
        )
    if incremental is None or incremental.step is None or incremental.end_param is not None:
        return
    asked = repr(_plain({name: options.get(name) for name in ("url", "params", "body", "headers")}))
    if "window.end" not in asked:
        raise SourceMisconfigured(
            "incremental: window: no request says where a span ends",
            hint="`end_param`, or {{ window.end }} in a template",
        )
