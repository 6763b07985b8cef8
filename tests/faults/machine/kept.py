"""What is compiled once for a campaign: the same texts at every start of a process would cost most of its time."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

import cgsync.engine
import cgsync.running
from cgsync.contract import Contract
from cgsync.ledger import database
from cgsync.mapping import Mapper, MappingSpec, compile_mapping
from cgsync.mapping.mapper import version_of


def keep(patch: pytest.MonkeyPatch) -> None:
    """Let mappings, the contract and SQL be compiled once, whichever process needs them."""
    mappers: dict[str, Mapper] = {}

    def mapper(spec: MappingSpec) -> Mapper:
        version = version_of(spec)
        return mappers.get(version) or mappers.setdefault(version, compile_mapping(spec))

    patch.setattr(cgsync.running, "compile_mapping", mapper)
    patch.setattr(cgsync.engine, "Contract", functools.cache(Contract))
    patch.setattr(database, "writer", sharing(database.writer))
    patch.setattr(database, "reader", sharing(database.reader))


def sharing(make: Callable[[Path], Engine]) -> Callable[[Path], Engine]:
    """The same; all that it makes use what the first one compiled."""
    first: list[Engine] = []
    texts: dict[Any, Any] = {}

    def made(file: Path) -> Engine:
        engine = make(file)
        first.append(engine)
        del first[1:]
        engine.dialect, engine._compiled_cache = first[0].dialect, first[0]._compiled_cache
        event.listen(engine, "connect", lambda _, record: record.info.update(compiled=texts))
        return engine

    return made
