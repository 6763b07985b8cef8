"""A bearer token in a file that somebody else renews."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from cgsync.errors import SourceMisconfigured, SourceUnavailable
from cgsync.http.auth import Credential
from cgsync.secrets import Secret

LARGEST = 64 * 1024
"""Bytes."""


@dataclass(slots=True)
class TokenFile:
    """Reads it again when it changes, and after a 401; an :class:`cgsync.http.Auth`."""

    path: Path
    _seen: tuple[int, int, int] = field(default=(0, 0, 0), init=False)
    _credential: Credential | None = field(default=None, init=False)

    async def credential(self) -> Credential:
        """Raises :class:`SourceMisconfigured` where there is none, :class:`SourceUnavailable` while it is empty."""
        seen = self._look()
        if self._credential is None or seen != self._seen:
            self._read()
            self._seen = seen
        assert self._credential is not None
        return self._credential

    def invalidate(self, generation: int) -> bool:
        """True when the file holds another one by now."""
        self._read()
        return self._credential is not None and self._credential.generation != generation

    def _look(self) -> tuple[int, int, int]:
        try:
            found = self.path.stat()
        except OSError as error:
            raise self._misconfigured(error) from None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _read(self) -> None:
        try:
            with self.path.open("rb") as stream:
                text = stream.read(LARGEST).decode().strip()
        except OSError as error:
            raise self._misconfigured(error) from None
        except UnicodeDecodeError:
            text = "\n"
        if not text:  # between two versions of it
            raise SourceUnavailable(f"{self.path} holds no token yet")
        if not (text.isprintable() and text.isascii()):
            raise SourceMisconfigured(f"{self.path} holds more than one line: that is no token")
        value = Secret(f"Bearer {text}")
        if self._credential is None or self._credential.value != value:
            generation = 1 if self._credential is None else self._credential.generation + 1
            self._credential = Credential(value=value, generation=generation)

    def _misconfigured(self, error: OSError) -> SourceMisconfigured:
        return SourceMisconfigured(
            f"{self.path} cannot be read: {error.strerror}", hint="correct `token_file:`, or its owner and mode"
        )
