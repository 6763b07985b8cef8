"""What is wrong where: a finding in the configuration, and how it is shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cgsync.errors import ConfigError

RED, YELLOW, BLUE, BOLD, PLAIN = "\x1b[31m", "\x1b[33m", "\x1b[34m", "\x1b[1m", "\x1b[0m"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """A finding: ``line`` and ``column`` count from 1, in characters; ``snippet`` is the line, secrets masked.

    ``caret`` and ``width`` say what is underlined in it, from 0. ``line`` is 0 when the file as a whole is meant.
    """

    file: Path
    line: int
    column: int
    path: str
    message: str
    help: str = ""
    snippet: str = ""
    caret: int = 0
    width: int = 1
    severity: str = "error"

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"

    @property
    def where(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else str(self.file)

    @property
    def what(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class ConfigInvalid(ConfigError):
    """The configuration has mistakes; ``diagnostics`` are all of them."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        super().__init__(render(diagnostics))
        self.diagnostics = tuple(diagnostics)


def render(diagnostics: Iterable[Diagnostic], *, color: bool = False) -> str:
    """The findings for a person: place, words, the line with a caret, and what to do."""
    return "\n".join(line for each in diagnostics for line in _lines(each, color=color))


def _lines(diagnostic: Diagnostic, *, color: bool) -> Iterable[str]:
    paint = _painted if color else _unpainted
    tone = RED if diagnostic.severity == "error" else YELLOW
    mark = "warning: " if diagnostic.severity == "warning" else ""
    yield f"{paint(diagnostic.where, BOLD)}: {paint(mark, tone)}{_clean(diagnostic.what)}"
    if diagnostic.snippet.strip():
        number = str(diagnostic.line)
        yield f" {paint(f'{number} |', BLUE)} {_in_columns(diagnostic.snippet)}"
        room = " " * len(number)
        yield f" {room} {paint('|', BLUE)} {' ' * diagnostic.caret}{paint('^' * max(diagnostic.width, 1), tone)}"
    if diagnostic.help:
        yield f"   {paint('=', BLUE)} help: {_clean(diagnostic.help)}"


def _clean(text: str) -> str:
    """The text in which nothing can move a terminal's cursor."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _in_columns(text: str) -> str:
    """Likewise, with one column for each character, so that the caret stays under what it means."""
    return "".join(c if c.isprintable() else " " if c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


def _painted(text: str, tone: str) -> str:
    return f"{tone}{text}{PLAIN}" if text else text


def _unpainted(text: str, _tone: str) -> str:
    return text
