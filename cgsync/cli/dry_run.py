"""``run --dry-run``: what one pass would do, as lines; nothing is stored, sent or settled."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import click
import msgspec
import structlog

from cgsync.cli.preview import show as show_one
from cgsync.clock import SystemClock
from cgsync.config import Config
from cgsync.contract import Contract
from cgsync.hosting import Host
from cgsync.ledger import peek
from cgsync.secrets import Redactor
from cgsync.trial import Trial, Tried


def show(config: Config, redactor: Redactor, *, as_json: bool) -> None:
    """Try every source from its stored cursor on and print each record with its verdict, then the counts."""
    counts: Counter[str] = Counter()

    def each(tried: Tried) -> None:
        counts[tried.verdict] += 1
        value: dict[str, Any] = msgspec.to_builtins(tried, enc_hook=str)
        if as_json:
            click.echo(msgspec.json.encode(value))
        else:
            show_one(value)

    asyncio.run(_try_all(config, redactor, each))
    click.echo(", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items())) or "nothing new", err=True)


async def _try_all(config: Config, redactor: Redactor, each: Any) -> None:
    clock, log = SystemClock(), structlog.get_logger()
    host = Host(clock=clock, log=log, redactor=redactor, state_dir=config.state_dir)
    contract = Contract(config.overlay)
    for source in config.sources.values():
        uid, cursor = peek(config.state_dir, source.name)
        trial = Trial(source, uid=uid, contract=contract, host=host, log=log)
        await trial.dry_run(cursor, each)
