"""Collects what is wrong in the files of a configuration, and hides the secrets in the lines it shows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from cgsync.config.diagnostics import Diagnostic
from cgsync.config.nodes import Node, Path_, Span, dotted
from cgsync.secrets import MASK

BREAKS = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""what libyaml counts as the end of a line"""
LONGEST_SNIPPET = 200


@dataclass(slots=True, kw_only=True)
class Finding:
    span: Span
    path: str
    message: str
    help: str
    severity: str


@dataclass(slots=True)
class Findings:
    """Findings so far, and the files that they are in."""

    _lines: dict[Path, list[str]] = field(default_factory=dict)
    _hidden: list[Span] = field(default_factory=list)
    _found: list[Finding] = field(default_factory=list)
    _meant: set[tuple[Path_, str]] = field(default_factory=set)

    def read(self, file: Path, text: str) -> None:
        """Keep the text, to show lines of it."""
        self._lines[file] = BREAKS.split(text)

    def hide(self, span: Span | None) -> None:
        """Never show what stands there."""
        if span is not None:
            self._hidden.append(span)

    def at(self, span: Span, path: Path_, message: str, *, help: str = "", severity: str = "error") -> None:  # noqa: A002 - the word that the reader of a diagnostic sees
        """Whatever is found twice, since it stands above several sources, is said once."""
        found = Finding(span=span, path=dotted(path), message=message, help=help, severity=severity)
        if found not in self._found:
            self._found.append(found)

    def value(self, node: Node, path: Path_, message: str, *, help: str = "", severity: str = "error") -> None:  # noqa: A002 - as above
        """A finding about a value: under it, or under its key when it is empty or goes over several lines."""
        span, key = node.span, node.key
        assert span is not None, "what was filled in is not the reader's mistake"
        several = span.end_line > span.line or span.empty
        self.at(key if key and several else span, path, _attributed(message, node), help=help, severity=severity)

    def key(self, node: Node, path: Path_, message: str, *, help: str = "") -> None:  # noqa: A002 - as above
        span = node.key or node.span
        assert span is not None
        self.at(span, path, _attributed(message, node), help=help)

    def unknown(
        self,
        node: Node,
        path: Path_,
        known: Sequence[str],
        siblings: Node,
        *,
        words: str = "unknown option",
        help: str,  # noqa: A002 - as above
    ) -> None:
        """An option that is not known; ``words`` and ``help`` are for one that is no slip either.

        Its value may be a secret under a misspelt name.
        """
        self.hide(node.span)
        key = str(path[-1])
        close = meant(key, [word for word in known if word not in siblings]) or meant(key, known)
        if close:
            self._meant.add((path[:-1], close))
            self.key(node, path, f'unknown option, did you mean "{close}"?')
        else:
            self.key(node, path, words, help=help)

    def is_meant(self, path: Path_, name: str) -> bool:
        """Whether an option there, that is not known, is probably that one: then it is not missing."""
        return (path, name) in self._meant

    def file(self, file: Path, message: str, *, help: str = "") -> None:  # noqa: A002 - as above
        """A finding about a file as a whole."""
        self.at(Span(file=file, line=-1, column=0, end_line=-1, end_column=0), (), message, help=help)

    def paths(self) -> set[str]:
        """Where there are errors so far."""
        return {finding.path for finding in self._found if finding.severity == "error"}

    @property
    def errors(self) -> int:
        return sum(finding.severity == "error" for finding in self._found)

    def diagnostics(self, severity: str) -> tuple[Diagnostic, ...]:
        """All findings of that severity, in the order of the files and their lines."""
        order = {file: number for number, file in enumerate(self._lines)}
        chosen = (finding for finding in self._found if finding.severity == severity)
        return tuple(self._shown(each) for each in sorted(chosen, key=lambda each: _place(each, order)))

    def _shown(self, finding: Finding) -> Diagnostic:
        span = finding.span
        line = self._line(span)
        end = span.end_column if span.end_line == span.line else len(line)
        snippet, start, end = self._masked(line, span, min(span.column, len(line)), min(end, len(line)))
        cut = max(0, end - LONGEST_SNIPPET) if len(snippet) > LONGEST_SNIPPET else 0
        cut = min(cut, start)
        return Diagnostic(
            file=span.file,
            line=span.line + 1,
            column=span.column + 1,
            path=finding.path,
            message=finding.message,
            help=finding.help,
            snippet=snippet[cut : cut + LONGEST_SNIPPET],
            caret=start - cut,
            width=max(1, min(end - start, LONGEST_SNIPPET)),
            severity=finding.severity,
        )

    def _line(self, span: Span) -> str:
        lines = self._lines.get(span.file, [])
        return lines[span.line] if 0 <= span.line < len(lines) else ""

    def _masked(self, line: str, shown: Span, start: int, end: int) -> tuple[str, int, int]:
        """The line with every hidden stretch replaced, and where ``start`` and ``end`` are in it then."""
        for first, last in reversed(self._stretches(line, shown)):
            line = line[:first] + MASK + line[last:]
            start, end = (_moved(place, first, last) for place in (start, end))
        return line, start, end

    def _stretches(self, line: str, shown: Span) -> list[tuple[int, int]]:
        """What is hidden in the line, from left to right, overlaps merged."""
        merged: list[tuple[int, int]] = []
        here = [span for span in self._hidden if span.file == shown.file and span.line <= shown.line <= span.end_line]
        for first, last in sorted(_within(span, shown.line, line) for span in here):
            if merged and first < merged[-1][1]:
                merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
            elif line[first:last].strip():
                merged.append((first, last))
        return merged


def _attributed(message: str, node: Node) -> str:
    """The reader looks at a line of their own: say whose words are meant."""
    return f"{message} (in {node.origin})" if node.origin else message


def _within(span: Span, number: int, line: str) -> tuple[int, int]:
    """The part of a line that a span covers, without the indentation."""
    first = span.column if span.line == number else len(line) - len(line.lstrip())
    return first, span.end_column if span.end_line == number else len(line)


def _moved(place: int, first: int, last: int) -> int:
    """Where a column is once ``first`` to ``last`` is masked."""
    if place <= first:
        return place
    return place - (last - first) + len(MASK) if place >= last else first + len(MASK)


def _place(finding: Finding, order: dict[Path, int]) -> tuple[int, int, int]:
    return (order.get(finding.span.file, len(order)), finding.span.line, finding.span.column)


def meant(word: str, known: Iterable[str]) -> str:
    """The known word that this one is probably a slip of; empty when there is none."""
    by_case = {each.lower(): each for each in known}
    close = get_close_matches(word.lower(), by_case, n=1, cutoff=0.6)
    return by_case[close[0]] if close else ""
