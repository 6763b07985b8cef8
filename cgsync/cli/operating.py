"""Verbs for a running daemon: let sources or the sending rest, let them go on, poll a source now."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from cgsync.cli import output
from cgsync.cli.options import config_option, json_option
from cgsync.cli.session import Session
from cgsync.model import rejected


@click.command()
@click.argument("sources", nargs=-1)
@click.option("--sending", is_flag=True, help="Let the sending rest; sources are still read.")
@config_option
def pause(sources: Sequence[str], config: Path, *, sending: bool) -> None:
    """Let SOURCES rest, or with --sending the sending, until they are resumed; a restart changes nothing of that.

    An entry with several mailboxes stands for all of them.
    """
    named = _carry("pause", sources, config, sending=sending)
    click.echo(f"{named} paused; `cgsync resume {' '.join(sources) or '--sending'}` ends that")


@click.command()
@click.argument("sources", nargs=-1)
@click.option("--sending", is_flag=True, help="Let the sending go on, and try at once where it waits for anything.")
@config_option
def resume(sources: Sequence[str], config: Path, *, sending: bool) -> None:
    """Let SOURCES go on with a poll at once, or with --sending the sending."""
    click.echo(f"{_carry('resume', sources, config, sending=sending)} resumed")


@click.command()
@click.argument("source")
@config_option
@json_option
def poll(source: str, config: Path, as_json: bool) -> None:
    """Poll SOURCE now, or each that this entry stands for, and say what came in. Without a daemon it is sent later."""
    found = Session(config).carry("poll", source=source)
    counts = {name: count for name, count in found["counts"].items() if count}
    if as_json:
        output.as_json(found)
    elif counts:
        output.fields(counts)
    else:
        click.echo(f"{source} has nothing new")
    for part, words in found["problems"].items():
        click.echo(f"{output.plain(part)}: {output.plain(words)}", err=True)
    sys.exit(1 if found["problems"] else 3 if rejected(counts) else 0)


def _carry(verb: str, sources: Sequence[str], config: Path, *, sending: bool) -> str:
    """Have it done to the sources, or to the sending; returns of what it is to be told: "orders is"."""
    if bool(sources) == sending:
        raise click.UsageError("name sources, or say --sending")
    if sending:
        Session(config).carry(f"sending.{verb}")
        return "sending is"
    names = Session(config).carry(verb, names=sources)["names"]
    return f"{', '.join(names)} {'is' if len(names) == 1 else 'are'}"
