"""The verb that reads a span of time again: start it and watch it, list what was started, stop one."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from cgsync import control
from cgsync.cli import output
from cgsync.cli.options import config_option, json_option
from cgsync.cli.progress import followed
from cgsync.cli.session import Session

COLUMNS = ("id", "source", "from", "to", "state", "read", "stored", "waiting", "rejected", "error")
LOOK = 0.5
"""Seconds between two looks at how far it is."""


@click.command()
@click.argument("source", required=False)
@click.option("--from", "since", metavar="TIME", help="Where the span begins: 2024-05-01, or 2024-05-01T08:00+02:00.")
@click.option("--to", "until", metavar="TIME", help="Where it ends, itself not included; else it ends now.")
@click.option("--detach", is_flag=True, help="Do not wait for it.")
@click.option("--stop", "number", metavar="ID", type=int, help="End the backfill of that number.")
@config_option
@json_option
def backfill(
    source: str | None,
    since: str | None,
    until: str | None,
    number: int | None,
    config: Path,
    *,
    detach: bool,
    as_json: bool,
) -> None:
    """Read a span of time of SOURCE again, beside what it reads anyway; without SOURCE, list what was asked for.

    The daemon does it, also over its restarts, and sends what is live first. What did not change is not sent again.
    """
    session = Session(config)
    if number is not None:
        _stop(session, number, as_json=as_json)
    elif source is None:
        _list(session, as_json=as_json)
    elif since is None:
        raise click.UsageError("say --from TIME")
    else:
        begun = session.carry("backfill.start", source=source, since=since, until=until)["id"]
        if detach:
            click.echo(f"backfill {begun} has begun; `cgsync backfill` shows how far it is")
        else:
            _end(_watch(session, begun), as_json=as_json)


def _list(session: Session, *, as_json: bool) -> None:
    found = session.carry("backfill.list")
    if as_json:
        output.as_json(found)
    else:
        output.rows([_shown(each) for each in found], COLUMNS, empty="no backfill was asked for yet")


def _stop(session: Session, number: int, *, as_json: bool) -> None:
    stopped = session.carry("backfill.stop", number=number)
    if as_json:
        output.as_json(stopped)
    else:
        click.echo(f"backfill {number} is stopped; {stopped['waiting']} activities of it will still be sent")


def _watch(session: Session, number: int) -> Mapping[str, Any]:
    """Follow it until it has ended and nothing of it waits any more."""
    try:
        with followed() as show:
            return _follow(session.require_daemon(), number, show)
    except KeyboardInterrupt:
        click.echo(f"\nit goes on without you; `cgsync backfill --stop {number}` ends it", err=True)
        raise click.Abort from None


def _follow(daemon: Path, number: int, show: Callable[[Mapping[str, Any]], None]) -> Mapping[str, Any]:
    while True:
        seen: Mapping[str, Any] = control.ask(daemon, "backfill.show", {"number": number})
        show(seen)
        if seen["state"] != "running" and not seen["waiting"]:
            return seen
        time.sleep(LOOK)


def _end(ended: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.as_json(ended)
    else:
        output.fields(_shown(ended))
    if ended["state"] != "done":
        sys.exit(1)
    sys.exit(3 if ended["rejected"] else 0)


def _shown(backfill: Mapping[str, Any]) -> dict[str, Any]:
    times = {name: output.moment(backfill[name]) for name in ("from", "to", "started", "finished")}
    state = "paused" if backfill["paused"] else backfill["state"]
    return {name: backfill[name] for name in COLUMNS} | times | {"state": state}
