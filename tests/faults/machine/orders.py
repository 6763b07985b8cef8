"""What an operator ordered, and whether it is obeyed: pauses, holds, people to forget."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.machine.origin import address
from tests.faults.machine.rows import reference

Person = tuple[str, str]
"""source and key"""


@dataclass(slots=True)
class Orders:
    """Orders that were carried out; what is under way binds nobody yet."""

    paused: set[str] = field(default_factory=set)
    sending_rests: bool = False
    holding: bool = False
    """whether a command to hold is on its way"""
    forgotten: set[Person] = field(default_factory=set)
    leaving: set[Person] = field(default_factory=set)
    """who is perhaps forgotten: the command was begun"""

    def is_gone(self, source: str, key: str) -> bool:
        """Whether nothing can be expected of that record any more."""
        return (source, key) in self.leaving or (source, key) in self.forgotten

    def forbidden(self, name: str) -> bool:
        """Whether a request for that reference is one too many."""
        return any(reference(*person) == name for person in self.forgotten)

    def traces(self, folder: Path) -> list[str]:
        """Who of those that were forgotten is still named in a file of that folder."""
        content = b"".join(file.read_bytes() for file in folder.iterdir())
        return [address(*person) for person in self.forgotten if address(*person).encode() in content]
