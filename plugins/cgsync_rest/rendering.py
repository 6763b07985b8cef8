"""Options that may be templates: compiled once, filled in for each request or record, at any depth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from cgsync.api import SourceMisconfigured, Template

Variables: TypeAlias = "Mapping[str, Any]"
Rendering: TypeAlias = Callable[[Variables], Any]
Compile: TypeAlias = Callable[[str], Template]
"""``context.template``."""

TRUTH = {"true": True, "false": False, "": False}


def is_template(raw: object) -> bool:
    return isinstance(raw, str) and ("{{" in raw or "{%" in raw)


def rendering(raw: Any, compile_: Compile) -> Rendering:
    """A function from variables to the value; raises :class:`SourceMisconfigured` for what is no template."""
    if is_template(raw):
        template = compile_(raw)
        return lambda variables: template(**variables)
    if isinstance(raw, Mapping):
        members = {key: rendering(each, compile_) for key, each in raw.items()}
        return lambda variables: {key: each(variables) for key, each in members.items()}
    if isinstance(raw, list | tuple):
        items = [rendering(each, compile_) for each in raw]
        return lambda variables: [each(variables) for each in items]
    return lambda _: raw


def condition(raw: str, compile_: Compile) -> Callable[[Variables], bool]:
    """A template as a question; a text without one has but one answer, and is most often one that forgot its braces."""
    if not is_template(raw) and raw.strip().lower() not in TRUTH:
        raise SourceMisconfigured(f"{raw!r} asks nothing", hint="an expression stands in braces: {{ … == 'yes' }}")
    render = rendering(raw, compile_)
    return lambda variables: truth(render(variables), raw)


def truth(value: object, source: str) -> bool:
    """Text is only taken when it says true, false or nothing: a field that holds "no" would count as true."""
    if not isinstance(value, str):
        return bool(value)
    answer = TRUTH.get(value.strip().lower())
    if answer is None:
        raise SourceMisconfigured(
            f"{source!r} gives the text {value[:60]!r}, not true or false", hint="compare it: {{ … == 'yes' }}"
        )
    return answer
