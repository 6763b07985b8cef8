"""The door for tests of plugins: a test class that knows the contract, and stand-ins for what the core lends.

from cgsync.testing import SourceConformance

class TestTickets(SourceConformance):
    source_type = cgsync_source_types()[0]
    keys = {"4711", "4712"}

    @pytest.fixture
    def options(self, tmp_path): ...        # put something to read there, and say where
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cgsync.testing.conformance import SourceConformance
    from cgsync.testing.fakes import FakeClock, MemoryLog, MemorySecrets, context
    from cgsync.testing.options import as_opened

__all__ = ["FakeClock", "MemoryLog", "MemorySecrets", "SourceConformance", "as_opened", "context"]

HOMES = {"SourceConformance": "conformance", "as_opened": "options"}


def __getattr__(name: str) -> Any:
    """Import on first use: every run of pytest passes here, also those that have nothing to do with us."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{HOMES.get(name, 'fakes')}"), name)
