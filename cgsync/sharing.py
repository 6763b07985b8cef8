"""Things of which everybody uses the same one, made when somebody first asks for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Sharing:
    """``sharing(make)`` is what ``make`` returned the first time; what was made lasts as long as this."""

    def __init__(self) -> None:
        self._made: dict[Callable[[], Any], Any] = {}

    def __call__(self, make: Callable[[], T]) -> T:
        if make not in self._made:
            self._made[make] = make()
        found: T = self._made[make]
        return found
