"""Values that never print, and the redaction that catches what came from them all the same."""

from __future__ import annotations

MASK = "********"
SHORTEST = 6
"""Characters from which on a secret is looked for in other text; a shorter one would mask half of every line."""


class Secret:
    """A value that prints as ``********``; :meth:`reveal` is the only way to it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __bool__(self) -> bool:
        return bool(self._value)


class Redactor:
    """Replaces every known secret in a text. Values are added as they become known: options, tokens."""

    def __init__(self) -> None:
        self._values: set[str] = set()
        self._ordered: tuple[str, ...] = ()

    def add(self, value: str) -> None:
        if len(value) >= SHORTEST and value not in self._values:
            self._values.add(value)
            # longest first, so that a secret that contains another one leaves no tail behind
            self._ordered = tuple(sorted(self._values, key=len, reverse=True))

    def __call__(self, text: str, *more: str) -> str:
        """The text without any of them, nor of ``more``."""
        for value in sorted((*self._ordered, *more), key=len, reverse=True) if more else self._ordered:
            if value in text:
                text = text.replace(value, MASK)
        return text
