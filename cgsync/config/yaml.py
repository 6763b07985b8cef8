"""YAML with positions: the plain part of YAML that means the same everywhere, and nothing surprising.

Reads parser events rather than composing, so that depth and size are checked before anything is built: libyaml's
composer recurses without a limit, and a few aliases can stand for billions of nodes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cgsync.config.findings import BREAKS, Findings
from cgsync.config.nodes import Node, Path_, Span
from cgsync.plugins.vocabulary import typed

DEEPEST = 64
"""levels"""
MOST_NODES = 100_000
"""values, with each alias counted as all that it stands for"""
MOST_PAIRS = 100
"""JSON's surrogate pairs in one file"""

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PAIR = re.compile(r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")


class _Refused(Exception):
    """Nothing can be made of the file; the finding is recorded."""


@dataclass(frozen=True, slots=True)
class _Anchor:
    node: Node
    count: int
    height: int


def parse(text: str, file: Path, findings: Findings) -> Node | None:
    """The tree of the file, or ``None`` when there is none to go on with; mistakes go into ``findings``."""
    findings.read(file, text)
    try:
        _refuse_unprintable(text, file, findings)
        return _parse_joined(text, file, findings)
    except _Refused:
        return None


def _parse_joined(text: str, file: Path, findings: Findings) -> Node:
    """Parse; what libyaml calls a bad escape but is a surrogate pair of JSON is joined first."""
    for _ in range(MOST_PAIRS):
        try:
            return _Builder(text, file, findings).document()
        except yaml.MarkedYAMLError as error:
            joined = _join(text, error)
            if joined is None:
                _explain(error, text, file, findings)
                raise _Refused from error
            text = joined
    findings.file(file, "too many surrogate pairs", help="write the characters themselves")
    raise _Refused


def _join(text: str, error: yaml.MarkedYAMLError) -> str | None:
    mark = error.problem_mark
    if mark is None or "Unicode character escape" not in str(error.problem):
        return None
    pair = _PAIR.match(text, max(mark.index - 2, 0))
    if pair is None:
        return None
    high, low = int(pair[1], 16), int(pair[2], 16)
    return text[: pair.start()] + chr(0x10000 + ((high - 0xD800) << 10) + low - 0xDC00) + text[pair.end() :]


def _refuse_unprintable(text: str, file: Path, findings: Findings) -> None:
    if found := _UNPRINTABLE.search(text):
        before = BREAKS.split(text[: found.start()])
        line, column = len(before) - 1, len(before[-1])
        findings.at(
            Span(file=file, line=line, column=column, end_line=line, end_column=column + 1),
            (),
            f"character U+{ord(found[0]):04X} is not allowed in YAML",
            help='write it as "\\x…" or "\\u…" between double quotes, if it is meant',
        )
        raise _Refused


class _Builder:
    """Builds the tree of one file out of parser events."""

    def __init__(self, text: str, file: Path, findings: Findings) -> None:
        loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self._events: Iterator[Any] = yaml.parse(text, loader)
        self._file = file
        self._findings = findings
        self._anchors: dict[str, _Anchor | None] = {}
        self._count = 0
        self._recorded: list[Callable[[], None]] = []

    def document(self) -> Node:
        """The one document of the stream; an empty stream is an empty mapping."""
        next(self._events)
        start = next(self._events)
        if isinstance(start, yaml.StreamEndEvent):
            return Node(value={}, span=self._span(start))
        root, _ = self._node(next(self._events), (), 1)
        next(self._events)
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            self._refuse(after, (), "a second document begins here", "a configuration is one document")
        for record in self._recorded:  # only now: a file that is parsed again would record them twice
            record()
        if root.value is None:
            return Node(value={}, span=root.span)
        return root

    def _node(self, event: Any, path: Path_, depth: int) -> tuple[Node, int]:
        """A node and how many levels it has."""
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, path, depth)
        self._spend(1, event, path)
        if depth > DEEPEST:
            self._refuse(event, path, f"more than {DEEPEST} levels deep")
        if event.tag is not None:
            shown = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._record(self._span(event), path, f"tags are not used here: {shown}", "remove it")
        before = self._count
        if event.anchor:
            self._anchors[event.anchor] = None
        node, height = self._built(event, path, depth)
        if event.anchor:
            self._anchors[event.anchor] = _Anchor(node, self._count - before + 1, height)
        return node, height

    def _built(self, event: Any, path: Path_, depth: int) -> tuple[Node, int]:
        if isinstance(event, yaml.ScalarEvent):
            value = typed(event.value) if not event.style else event.value
            return Node(value=value, text=event.value, written=event.value, span=self._span(event)), 1
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(event, path, depth)
        return self._mapping(event, path, depth)

    def _sequence(self, start: Any, path: Path_, depth: int) -> tuple[Node, int]:
        items: list[Node] = []
        height = 1
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            node, below = self._node(event, (*path, len(items)), depth + 1)
            items.append(node)
            height = max(height, below + 1)
        return Node(value=items, span=self._span(start, event)), height

    def _mapping(self, start: Any, path: Path_, depth: int) -> tuple[Node, int]:
        members: dict[str, Node] = {}
        height = 1
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._key(event, path)
            node, below = self._node(next(self._events), (*path, key), depth + 1)
            height = max(height, below + 1)
            node = node.with_(key=self._span(event))
            if key == "<<" and not event.style:
                self._record(node.key, (*path, key), "merge keys are not used here", "write the options out")
            elif key in members:
                self._record_duplicate(node, members[key], (*path, key))
                members[key] = self._united(members[key], node)
            else:
                members[key] = node
        return Node(value=members, span=self._span(start, event)), height

    def _key(self, event: Any, path: Path_) -> str:
        self._spend(1, event, path)
        if not isinstance(event, yaml.ScalarEvent):
            self._refuse(event, path, "a key must be plain text")
        if event.tag is not None or event.anchor:
            self._record(self._span(event), path, "tags and anchors are not used on keys", "remove it")
        return str(event.value)

    def _record_duplicate(self, node: Node, first: Node, path: Path_) -> None:
        assert first.key is not None
        self._record(node.key, path, "is given twice", f"first given in line {first.key.line + 1}; keep one of them")

    def _united(self, first: Node, second: Node) -> Node:
        """What is new in the second mapping too, so that its mistakes are found as well; else it is never shown."""
        if not isinstance(first.value, dict) or not isinstance(second.value, dict):
            self._recorded.append(lambda: self._findings.hide(second.span))
            return first
        members = dict(first.value)
        for key, each in second.value.items():
            members[key] = self._united(members[key], each) if key in members else each
        return first.with_(value=members)

    def _alias(self, event: Any, path: Path_, depth: int) -> tuple[Node, int]:
        name = event.anchor
        if name not in self._anchors:
            self._refuse(event, path, f"there is no anchor &{name} before this")
        anchor = self._anchors[name]
        if anchor is None:
            self._refuse(event, path, f"*{name} stands within what it stands for")
        assert anchor is not None
        self._spend(anchor.count, event, path)
        if depth + anchor.height - 1 > DEEPEST:
            self._refuse(event, path, f"more than {DEEPEST} levels deep")
        return anchor.node.with_(span=self._span(event)), anchor.height

    def _spend(self, count: int, event: Any, path: Path_) -> None:
        self._count += count
        if self._count > MOST_NODES:
            self._refuse(event, path, f"more than {MOST_NODES} values", "aliases count as all that they stand for")

    def _span(self, start: Any, end: Any = None) -> Span:
        first, last = start.start_mark, (end or start).end_mark
        return Span(file=self._file, line=first.line, column=first.column, end_line=last.line, end_column=last.column)

    def _record(self, span: Span | None, path: Path_, message: str, help_: str) -> None:
        assert span is not None
        self._recorded.append(lambda: self._findings.at(span, path, message, help=help_))

    def _refuse(self, event: Any, path: Path_, message: str, help_: str = "") -> None:
        self._findings.at(self._span(event), path, message, help=help_)
        raise _Refused


_WORDS = (
    ("mapping values are not allowed", "a `key: value` cannot stand here",
     "put quotes around a text that holds a colon and a space, or look at the indentation"),
    ("cannot start any token", "no value can begin with this character", "put quotes around it"),
    ("did not find expected ',' or '}'", "this `{` … `}` goes wrong here",
     'close it, or put quotes around what holds braces or commas: "${NAME}"'),
    ("did not find expected ',' or ']'", "this `[` … `]` goes wrong here",
     "close it, or put quotes around what holds brackets or commas"),
    ("did not find expected key", "the indentation does not fit what is above", "align it with its siblings"),
    ("did not find expected '-'", "a list goes on or ends here, and this is neither",
     "indent it to be part of the item above, or begin it with `- `"),
    ("unexpected end of stream", "the file ends within quotes or brackets", "close them"),
    ("Unicode character escape", "this escape is half of a character", 'write the character itself, or "\\U0001F600"'),
    ("unknown escape character", "there is no such escape", "write \\\\ for a backslash, or use single quotes"),
    ("could not find expected ':'", "a key without its colon", "write `key: value`"),
)  # fmt: skip


def _explain(error: yaml.MarkedYAMLError, text: str, file: Path, findings: Findings) -> None:
    """The parser's finding in our words, at its place."""
    mark, problem = error.problem_mark, str(error.problem or error.context or "this is not YAML")
    lines = BREAKS.split(text)
    line = min(mark.line, len(lines) - 1) if mark else 0
    column = mark.column if mark and mark.line == line else len(lines[line])
    words, help_ = next(((w, h) for known, w, h in _WORDS if known in problem), (problem, ""))
    if lines[line][column : column + 1] == "\t":
        words, help_ = "a tab cannot indent", "indent with spaces"
    findings.hide(_perhaps_secret(lines[line], line, file))
    findings.at(Span(file=file, line=line, column=column, end_line=line, end_column=column + 1), (), words, help=help_)


_SECRETIVE = re.compile(r"(?i)(secret|passw|passphrase|token|credential|api_?key|bearer)[\w\"'-]*\s*[:=]\s*")


def _perhaps_secret(line: str, number: int, file: Path) -> Span | None:
    """What might be a secret in a line that cannot be parsed: all that follows a telling name."""
    if found := _SECRETIVE.search(line):
        return Span(file=file, line=number, column=found.end(), end_line=number, end_column=len(line))
    return None
