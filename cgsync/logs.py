"""Logs: one line per decision, for a terminal, for journald, or as JSON lines. No secret and no escape sequence."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from typing import Any, Literal, TextIO, cast

import structlog
from structlog.typing import EventDict, Processor

from cgsync.secrets import Redactor

Format = Literal["auto", "console", "json"]

PRIORITIES = {"critical": 2, "error": 3, "warning": 4, "info": 6, "debug": 7}
"""syslog priorities: what journald reads from ``<N>`` at the start of a line."""


def configure(level: str, form: Format, redactor: Redactor, stream: TextIO | None = None) -> None:
    """Send all logs, ours and those of libraries, to ``stream`` (stderr)."""
    out = stream or sys.stderr
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.format_exc_info,
    ]
    after: list[Processor] = [_Redact(redactor), *_renderer(form, out)]
    threshold = logging.getLevelName(level.upper())
    structlog.configure(
        processors=[*before, *after],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(stream or cast("TextIO", _Stderr())),
        cache_logger_on_first_use=False,
    )
    _adopt_libraries(out, [*before, structlog.stdlib.ExtraAdder()], after)


class _Stderr:
    """Whatever ``sys.stderr`` is at that moment: a progress bar puts itself between, so that lines do not cut it up."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def _adopt_libraries(out: TextIO, before: list[Processor], after: list[Processor]) -> None:
    """The standard library's loggers speak through the same lines, from WARNING on."""
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *after],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.captureWarnings(capture=True)


def _renderer(form: Format, out: TextIO) -> list[Processor]:
    if form == "json":
        return [structlog.processors.TimeStamper(fmt="iso", utc=True), _json()]
    if _is_journal(out):
        return [_OneLine(), _Journal()]
    stamp = structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S", utc=False)
    colors = out.isatty() and not os.environ.get("NO_COLOR")
    return [stamp, _OneLine(), structlog.dev.ConsoleRenderer(colors=colors, pad_event_to=32)]


def _json() -> Processor:
    import msgspec

    def dumps(event: Mapping[str, Any], **_: Any) -> str:
        return msgspec.json.encode(event, enc_hook=str).decode()

    return structlog.processors.JSONRenderer(serializer=dumps)


def _is_journal(out: TextIO) -> bool:
    """Is the stream the one that systemd named in $JOURNAL_STREAM (device:inode)?"""
    try:
        status = os.fstat(out.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


class _Redact:
    """Replaces known secrets in every value, whatever it is made of."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def __call__(self, _logger: Any, _method: str, event: EventDict) -> EventDict:
        return {key: self._clean(value) for key, value in event.items()}

    def _clean(self, value: Any) -> Any:
        if isinstance(value, bool | int | float) or value is None:
            return value
        if isinstance(value, Mapping):
            return {str(key): self._clean(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._clean(item) for item in value]
        return self._redactor(str(value))


class _OneLine:
    """Escapes control characters: a record's text can neither forge a line nor move the cursor."""

    def __call__(self, _logger: Any, _method: str, event: EventDict) -> EventDict:
        return {key: _escape(value) if key != "exception" else value for key, value in event.items()}


def _escape(value: Any) -> Any:
    text = value if isinstance(value, str) else None
    if text is None or text.isprintable():
        return value
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class _Journal:
    """``<priority>event key=value``: journald adds the time and reads the priority."""

    def __init__(self) -> None:
        self._values = structlog.processors.LogfmtRenderer(bool_as_flag=False)

    def __call__(self, logger: Any, method: str, event: EventDict) -> str:
        priority = PRIORITIES.get(event.pop("level", "info"), 6)
        words, trace = str(event.pop("event", "")), event.pop("exception", "")
        values = self._values(logger, method, {_key(key): value for key, value in event.items()})
        lines = [f"{words} {values}".rstrip(), *str(trace).splitlines()]
        return "\n".join(f"<{priority}>{line}" for line in lines)


def _key(key: str) -> str:
    return key.replace(" ", "_")
