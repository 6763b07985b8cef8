"""One JSON text of a stranger: fast where it is plain, strict and slow where it is odd, and never deeper than told."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

import msgspec

from cgsync.formats.text import scrubbed

STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
BRACKETS = re.compile(STRING + rb"|[{\[]|[}\]]", re.DOTALL)
LONGEST_NUMBER = 400
"""Digits of a whole number; the largest float has 309."""


def parse(raw: bytes, *, depth: int, encoding: str = "utf-8") -> tuple[Any, int]:
    """The value, and how many characters were removed because no store takes them (NUL, lone surrogates).

    The last of duplicate keys wins. Raises ``ValueError`` with the reason in words.
    """
    # no value can nest deeper than it has opening brackets, so that nearly none has to be looked at
    if raw.count(b"{") + raw.count(b"[") > depth and nesting(raw) > depth:
        raise ValueError(f"nested deeper than {depth} levels")
    if encoding == "utf-8" and b"\\u0000" not in raw:
        try:
            return msgspec.json.decode(raw), 0
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass  # the slow way cleans it, or says in words what is wrong
    return parse_slowly(raw, encoding)


def parse_slowly(raw: bytes, encoding: str) -> tuple[Any, int]:
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start} is not {encoding}") from None
    text, nuls = scrubbed(text)
    try:
        value = json.loads(text, parse_int=_whole, parse_float=_finite, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at character {error.pos + 1}") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    value, surrogates = clean(value)
    return value, nuls + surrogates


def nesting(raw: bytes) -> int:
    """How deep the brackets outside of strings go."""
    level = deepest = 0
    for match in BRACKETS.finditer(raw):
        first = raw[match.start()]
        if first in b"{[":
            level += 1
            deepest = max(deepest, level)
        elif first in b"}]":
            level -= 1
    return deepest


def clean(value: Any) -> tuple[Any, int]:
    """The value without characters that no store takes, and how many those were."""
    if isinstance(value, str):
        return scrubbed(value)
    if isinstance(value, list):
        pairs = [clean(item) for item in value]
        return [item for item, _ in pairs], sum(count for _, count in pairs)
    if isinstance(value, dict):
        names = [clean(name) for name in value]
        pairs = [clean(item) for item in value.values()]
        cleaned = {name: item for (name, _), (item, _) in zip(names, pairs, strict=True)}
        return cleaned, sum(count for _, count in names + pairs)
    return value, 0


def _whole(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER:
        raise ValueError(f"a number of {len(digits)} digits")
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"the number {digits[:40]} is too large")
    return number


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
