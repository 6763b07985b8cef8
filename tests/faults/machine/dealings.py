"""What the API and one process had to do with each other, as the judge writes it down."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Dealings:
    """What the API and one process had to do with each other."""

    closed_from: float = 0.0
    closed_until: float = 0.0
    closed_for: str = ""
    failures: list[str] = field(default_factory=list)
    """references of the failures in a row, as the API gave them"""
    wide: bool = False
    """whether there were enough of them, over enough references, since the gate was seen open"""
    closed: bool = False
    """whether anything but a failure closed the gate since it was seen open"""
    refused: int = 0
    token: str = ""
    renewable_at: float = 0.0
    """when that token is near its end"""
    logging_in: bool = False
    condemned: set[str] = field(default_factory=set)
    """tokens that got a 401"""
    asked: dict[tuple[str, bytes], float] = field(default_factory=dict)
    """version → when it may be sent again at the earliest, as the API asked"""
