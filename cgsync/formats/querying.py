"""The grammar of JSONPath, by python-jsonpath, with patterns by RE2.

The library's own evaluation keeps an object with its whole path for each value that it passes; here a value is only a
value. Filters are evaluated by the library.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from jsonpath import JSONPath, JSONPathEnvironment
from jsonpath.exceptions import JSONPathError, JSONPathTypeError
from jsonpath.filter import BaseExpression, StringLiteral
from jsonpath.function_extensions import ExpressionType, FilterFunction
from jsonpath.segments import JSONPathRecursiveDescentSegment
from jsonpath.selectors import (
    Filter,
    FilterContext,
    IndexSelector,
    JSONPathSelector,
    NameSelector,
    SliceSelector,
    WildcardSelector,
)
from jsonpath.token import Token

from cgsync.formats.paths import Segment, Selector
from cgsync.formats.patterns import compiled
from cgsync.formats.seen import shown


class Pattern(FilterFunction):
    """``match()`` or ``search()`` of the RFC. A pattern out of the document that is none matches nothing."""

    arg_types = [ExpressionType.VALUE, ExpressionType.VALUE]  # noqa: RUF012 - as the library declares it
    return_type = ExpressionType.LOGICAL

    def __init__(self, method: str) -> None:
        self._method = method

    def __call__(self, value: object, pattern: object) -> bool:
        if not isinstance(value, str) or not isinstance(pattern, str):
            return False
        try:
            return getattr(compiled(pattern), self._method)(value) is not None
        except ValueError:
            return False


class Strict(JSONPathEnvironment):
    """The RFC and nothing else."""

    def __init__(self) -> None:
        super().__init__(strict=True)

    def setup_function_extensions(self) -> None:
        super().setup_function_extensions()
        self.function_extensions |= {"match": Pattern("fullmatch"), "search": Pattern("search")}

    def check_well_typedness(self, token: Token, func: FilterFunction, args: list[BaseExpression]) -> None:
        super().check_well_typedness(token, func, args)
        if isinstance(func, Pattern) and isinstance(args[1], StringLiteral):
            try:
                compiled(args[1].value)
            except ValueError as error:
                raise JSONPathTypeError(str(error), token=token) from None


def parse(text: str, *, said: str) -> Sequence[Segment]:
    """The segments of ``text``. ``said`` is how it was written; ``text`` may have something before that."""
    try:
        path = Strict().compile(text)
    except JSONPathError as error:
        place = "" if error.token is None else f" at character {_place(error.token, text, said)}"
        words = error.args[0] if error.args else "it is nested too deeply"
        raise ValueError(f"{shown(said)!r} is no JSONPath: {words}{place}") from None
    assert isinstance(path, JSONPath)  # several of them, joined, are refused by `strict`
    return [
        Segment([_selector(each) for each in segment.selectors], isinstance(segment, JSONPathRecursiveDescentSegment))
        for segment in path.segments
    ]


def _place(token: Token, text: str, said: str) -> int:
    at = token.index if 0 <= token.index < len(text) else len(text)
    return max(1, at + 1 - len(text) + len(said))


def _selector(parsed: JSONPathSelector) -> Selector:
    match parsed:
        case NameSelector(name=name):
            return lambda node, _: [node[name]] if isinstance(node, dict) and name in node else []
        case WildcardSelector():
            return lambda node, _: _children(node)
        case IndexSelector(index=index):
            return lambda node, _: [node[index]] if isinstance(node, list) and -len(node) <= index < len(node) else []
        case SliceSelector(slice=part):
            return lambda node, _: node[part] if isinstance(node, list) and part.step != 0 else []
        case Filter():
            return lambda node, root: _filtered(parsed, node, root)
    raise ValueError(f"{parsed} is not of RFC 9535")


def _children(node: Any) -> Iterable[Any]:
    return node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()


def _filtered(parsed: Filter, node: Any, root: Any) -> Iterable[Any]:
    # what does not depend on the value is computed once
    expression = parsed.expression.cache_tree() if parsed.cacheable_nodes else parsed.expression
    return [
        child
        for child in _children(node)
        if expression.evaluate(FilterContext(env=parsed.env, current=child, root=root))
    ]
