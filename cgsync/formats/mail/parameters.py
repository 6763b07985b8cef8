"""Values with parameters, as those of Content-Type and Content-Disposition, with what RFC 2231 adds."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from cgsync.formats.mail.charsets import as_text
from cgsync.formats.mail.words import decoded, shown

PARAMETER = re.compile(r';\s*([^\s=;"]{1,80})\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^;]*))', re.DOTALL)
ESCAPE = re.compile(r"\\(.)", re.DOTALL)


class Segment(NamedTuple):
    """One part of a value that RFC 2231 cut into several. ``percent``: it may have a charset and ``%41``."""

    number: int
    percent: bool
    value: str


@dataclass(frozen=True, slots=True)
class Parameters:
    """``word``: what stands before the first semicolon, in lower case; ``values``: by name in lower case."""

    word: str = ""
    values: Mapping[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str:
        return self.values.get(name, "")


def parameters(value: bytes) -> Parameters:
    """The first of parameters of one name counts; one of RFC 2231 counts before a plain one."""
    text = as_text(value)
    plain: dict[str, str] = {}
    cut: dict[str, list[Segment]] = defaultdict(list)
    for match in PARAMETER.finditer(text):
        name, star, rest = match[1].lower().partition("*")
        content = match[3].strip() if match[2] is None else ESCAPE.sub(r"\1", match[2])
        if star:
            index = rest.rstrip("*")
            number = int(index) if index.isdecimal() and len(index) < 5 else 0
            cut[name].append(Segment(number, index != rest or not rest, content))
        else:
            plain.setdefault(name, shown(decoded(content)))
    joined = {name: shown(_joined(sorted(segments))) for name, segments in cut.items()}
    return Parameters(text.partition(";")[0].strip().lower(), plain | joined)


def _joined(segments: Iterable[Segment]) -> str:
    raw, charset = b"", ""
    for number, segment in enumerate(segments):
        value = segment.value
        if number == 0 and segment.percent and value.count("'") >= 2:
            charset, _, value = value.split("'", 2)
        raw += unquote_to_bytes(value) if segment.percent else value.encode()
    return as_text(raw, charset)
