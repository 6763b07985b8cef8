"""Options as a user writes them → options as a source gets them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cgsync.api import SourceType
from cgsync.config.guide import Guide, validator
from cgsync.config.nodes import filled_in, plain
from cgsync.config.values import value


def as_opened(kind: SourceType, options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Checked, frozen, with defaults filled in and units and secrets as the core hands them to ``open``.

    ``options`` are plain values, durations and sizes in words. Raises ``ValueError`` for what the schema refuses.
    """
    node = Guide(root=kind.options_schema).settle(filled_in(dict(options)))
    for wrong in validator(kind.options_schema).iter_errors(plain(node)):
        raise ValueError(f"{wrong.json_path}: {wrong.message}")
    opened: Mapping[str, Any] = value(node)
    return opened
