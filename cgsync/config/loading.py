"""Load a configuration: read, check, assemble."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cgsync.api import SourceType
from cgsync.config.places import Places
from cgsync.config.settings import Config
from cgsync.secrets import Redactor


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownValue:
    """A value in force; ``origin`` is ``file:line`` or ``default``."""

    path: str
    value: Any
    origin: str


def load(path: Path, *, environ: Mapping[str, str] = os.environ, redactor: Redactor | None = None) -> Config:
    """The configuration; raises :class:`ConfigInvalid` with all mistakes."""
    raise NotImplementedError


def locate(path: Path, *, environ: Mapping[str, str] = os.environ) -> Places:
    """The folders alone: no secret is read, and a configuration with mistakes will do."""
    raise NotImplementedError


def show(path: Path, *, environ: Mapping[str, str] = os.environ) -> Sequence[ShownValue]:
    """Every value in force, and where it came from."""
    raise NotImplementedError


def json_schema(types: Mapping[str, SourceType]) -> dict[str, Any]:
    """The JSON Schema of a configuration with these source types."""
    raise NotImplementedError
