"""``run --dry-run``: what one pass would do, as lines; nothing is stored, sent or settled."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import click
import msgspec

from cgsync.cli.preview import show as show_one
from cgsync.cli.session import Session
from cgsync.ledger import checkpoints, sources
from cgsync.operations.checks import trial
from cgsync.trial import Tried


def show(session: Session, *, as_json: bool) -> None:
    """Try every source from its stored cursor on and print each record with its verdict, then the counts."""
    counts: Counter[str] = Counter()

    def each(tried: Tried) -> None:
        counts[tried.verdict] += 1
        value: dict[str, Any] = msgspec.to_builtins(tried, enc_hook=str)
        if as_json:
            click.echo(msgspec.json.encode(value))
        else:
            show_one(value)

    asyncio.run(_try_all(session, each))
    _say(counts)
    sys.exit(3 if counts["invalid"] or counts["unreadable"] else 0)


def _say(counts: Counter[str]) -> None:
    click.echo(", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items())) or "nothing new", err=True)


async def _try_all(session: Session, each: Callable[[Tried], None]) -> None:
    async with session.alone(trial=True) as core:
        for name in core.config.sources:
            uid = await core.ledger.read(partial(sources.uid_of, name=name)) or name
            cursor = await core.ledger.read(partial(checkpoints.load, source=uid))
            await (await trial(core, core.config, name)).dry_run(cursor, each)
