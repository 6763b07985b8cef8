"""Where templates run: an immutable sandbox that sees data only, and where what is missing is an error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import StrictUndefined, Undefined
from jinja2.runtime import Context, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace, missing

from cgsync.mapping.spelling import did_you_mean
from cgsync.mapping.values import MAX_FIELD, Unfit, kind

UNWANTED_FILTERS = ("attr", "pprint", "random", "striptags", "urlize", "xmlattr")
"""Reaches for attributes, differs from run to run, or is meant for HTML and slow on text of strangers."""
UNWANTED_GLOBALS = ("cycler", "joiner", "lipsum")
MAX_EXPONENT = 256

Data = (Mapping, list, tuple, str)


class Missing(StrictUndefined):
    """A field that is not there: chains (``a.b.c | default('x')``), and raises wherever its value is asked for."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name[:2] == name[-2:] == "__":
            raise AttributeError(name)
        return self

    def __getitem__(self, _name: object) -> Missing:  # type: ignore[override]  # Jinja's own never returns
        return self

    @property
    def _undefined_message(self) -> str:
        if self._undefined_hint:
            return self._undefined_hint
        name, where = self._undefined_name, self._undefined_obj
        if where is missing:
            return f"there is no variable `{name}`"
        if isinstance(where, Mapping):
            return f"there is no `{name}` {did_you_mean(name, where)}".strip()
        if isinstance(where, str):
            return f"text has no `{name}`; where a method was meant, use a filter: | {name}"
        return f"there is no `{name}`: what stands before it is {kind(where)}"


class Sandbox(ImmutableSandboxedEnvironment):
    """Templates see the keys of mappings, the items of lists and characters of text; no attribute of any object."""

    intercepted_binops = frozenset({"*", "**"})

    def getattr(self, obj: Any, attribute: str) -> Any:
        if type(obj) is dict:  # the usual case first: this runs for every dot of every record
            try:
                return obj[attribute]
            except KeyError:
                return self.undefined(obj=obj, name=attribute)
        if isinstance(obj, Undefined):
            return obj
        if isinstance(obj, (LoopContext, Namespace, Macro)):
            return super().getattr(obj, attribute)
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Undefined):
            return obj
        if isinstance(obj, Data):
            try:
                return obj[argument]
            except (TypeError, LookupError):
                pass
        return self.undefined(obj=obj, name=argument)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator == "*":
            _refuse_long(left, right)
        elif not isinstance(right, (int, float)) or abs(right) > MAX_EXPONENT or _is_large(left):
            raise Unfit(f"{operator} takes numbers, and exponents up to {MAX_EXPONENT}")
        return super().call_binop(context, operator, left, right)


def _is_large(number: object) -> bool:
    return not isinstance(number, (int, float)) or abs(number) > 10**9


def _refuse_long(left: object, right: object) -> None:
    for items, times in ((left, right), (right, left)):
        if isinstance(items, (str, list, tuple)) and isinstance(times, int) and len(items) * times > MAX_FIELD:
            raise Unfit(f"repeats itself to over {MAX_FIELD:,} items")


def open_sandbox(filters: Mapping[str, Any]) -> Sandbox:
    """A sandbox with Jinja's own filters and these."""
    # not optimized: a lookup of a constant must be asked for each record, and nothing may run at compile time
    sandbox = Sandbox(undefined=Missing, optimized=False, cache_size=0, autoescape=False)
    for name in UNWANTED_FILTERS:
        del sandbox.filters[name]
    for name in UNWANTED_GLOBALS:
        del sandbox.globals[name]
    sandbox.filters.update(filters)
    return sandbox


def open_context(sandbox: Sandbox, variables: Mapping[str, Any]) -> Context:
    """What one record's templates see."""
    return Context(sandbox, {**sandbox.globals, **variables}, None, {})
