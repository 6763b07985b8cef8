"""Budgets: paces by name, for all who share one API's limit."""

from __future__ import annotations

from collections.abc import Mapping

from cgsync.api import Clock
from cgsync.errors import SourceMisconfigured
from cgsync.http.pace import Pace


class Budgets:
    """``rates`` in requests a second by name. Every session that names one shares its pace."""

    def __init__(self, rates: Mapping[str, float], clock: Clock) -> None:
        self._clock = clock
        self._paces: dict[str, Pace] = {}
        self.declare(rates)

    def declare(self, rates: Mapping[str, float]) -> None:
        """From now on these; a budget that stays keeps its pace, at its new rate, also for sessions that are open."""
        self._paces = {name: self._paces.get(name) or Pace(rate, self._clock) for name, rate in rates.items()}
        for name, rate in rates.items():
            self._paces[name].change(rate)

    def pace(self, name: str) -> Pace:
        """That budget's pace; raises :class:`SourceMisconfigured` naming those that there are."""
        if name in self._paces:
            return self._paces[name]
        known = ", ".join(sorted(self._paces)) or "none"
        raise SourceMisconfigured(f"there is no budget {name!r}", hint=f"declare it under budgets: (there: {known})")
