"""Verbs that run things: run, reload."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cgsync.cli import output
from cgsync.cli.options import config_option, json_option

if TYPE_CHECKING:
    from cgsync.config import Config
    from cgsync.once import Tally
    from cgsync.secrets import Redactor


@click.command()
@config_option
@json_option
@click.option("--once", is_flag=True, help="Poll every source until it is dry, deliver, and end.")
@click.option("--dry-run", is_flag=True, help="Show what one pass would send; store, send and settle nothing.")
def run(config: Path, as_json: bool, once: bool, dry_run: bool) -> None:
    """Run the daemon. With --once: 1 something waits or failed, 3 something was rejected, else 0."""
    from cgsync import logs
    from cgsync.cli.session import Session

    session = Session(config)
    loaded, redactor = session.load()
    logs.configure(loaded.log.level, loaded.log.format, redactor)
    if dry_run:
        from cgsync.cli.dry_run import show

        show(session, as_json=as_json)
    elif once:
        _once(config, loaded, redactor, as_json=as_json)
    else:
        from cgsync import daemon

        daemon.run(config, loaded, redactor)


def _once(path: Path, config: Config, redactor: Redactor, *, as_json: bool) -> None:
    from cgsync import daemon, once
    from cgsync.cli.progress import watched

    tally = once.Tally()

    async def work(engine: Any) -> None:
        async with watched(engine):
            await once.run(engine, tally)

    daemon.run(path, config, redactor, work)
    _report(tally, as_json=as_json)
    sys.exit(tally.exit_status)


def _report(tally: Tally, *, as_json: bool) -> None:
    counts = {name: count for name, count in sorted(tally.counts.items()) if count}
    if as_json:
        output.as_json({**asdict(tally), "counts": counts})
        return
    output.fields({**counts, "waiting": tally.waiting, "because": tally.why if tally.waiting else ""})
    if not tally.ended:
        click.echo("stopped by a signal before all was done; the next run goes on from here", err=True)
    for name, words in tally.failed.items():
        click.echo(f"{name}: {words}", err=True)
    if tally.rejected:
        click.echo(f"{tally.rejected} rejected: `cgsync rejects list` says why", err=True)


@click.command()
@config_option
def reload(config: Path) -> None:
    """Have the daemon take the changed configuration; exit 1 with the reasons when it is refused."""
    from cgsync import control
    from cgsync.cli.session import Session
    from cgsync.control import Failed

    try:
        changes = control.ask(Session(config).require_daemon(reading=True), "reload", {})
    except Failed as refused:
        click.echo(f"refused, the old configuration stays:\n{refused.message}", err=True)
        sys.exit(1)
    verbs = {"started": "started", "stopped": "stopped", "restarted": "restarted", "settings": "took"}
    words = [f"{verb} {', '.join(changes[what])}" for what, verb in verbs.items() if changes[what]]
    click.echo("; ".join([*words, *(["sender restarted"] if changes["sender"] else [])]) or "nothing changed")
