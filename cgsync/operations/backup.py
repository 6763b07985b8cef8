"""A copy of the ledger, when an operator wants one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from cgsync.config import BackupConfig
from cgsync.custody import aside
from cgsync.errors import LedgerDamaged
from cgsync.ledger import backup
from cgsync.ledger.copies import Backup
from cgsync.operations.core import Core

FOLDER = "backups"


async def back_up(core: Core, file: str | None = None) -> Mapping[str, Any]:
    """Make a copy: at ``file``, an absolute path, or beside the scheduled ones. A damaged ledger ends the daemon."""
    try:
        made = await (_to(core, Path(file)) if file else _beside_others(core))
    except LedgerDamaged as error:
        core.engine.give_up(error)
        raise
    return {"file": str(made.path), "bytes": made.size, "at": made.at}


async def _to(core: Core, target: Path) -> Backup:
    copy = partial(backup.back_up, core.ledger.file, target, reserve=core.config.disk_reserve)
    return await aside(lambda proceed: copy(proceed=proceed))


async def _beside_others(core: Core) -> Backup:
    wanted = core.config.backup or BackupConfig(folder=core.config.state_dir / FOLDER)
    return await core.engine.custody.back_up(wanted)
