"""Verbs about what is to be sent: list, show, hold, release."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from cgsync.cli import output
from cgsync.cli.options import config_option, json_option
from cgsync.cli.session import Session
from cgsync.clock import span

COLUMNS = ("reference", "source", "state", "lane", "version", "attempts", "due in", "since")
STATES = ("pending", "held", "refused", "delivered")


@click.group()
def outbox() -> None:
    """What is wanted at CustomerGauge, and how far it came."""


@outbox.command(name="list")
@click.argument("references", nargs=-1)
@click.option("--source", help="Only of this source.")
@click.option("--state", type=click.Choice(STATES), help="Only what is in this state; else all that is not delivered.")
@click.option("--limit", default=1000, show_default=True, help="At most so many lines.")
@config_option
@json_option
def list_rows(
    references: Sequence[str], source: str | None, state: str | None, limit: int, config: Path, as_json: bool
) -> None:
    """List what is not delivered, or these REFERENCES."""
    found = Session(config).carry("outbox.list", references=references, source=source, state=state, limit=limit)
    if as_json:
        output.as_json(found)
    else:
        output.rows([_shown(one) for one in found], COLUMNS, empty="nothing waits")


@outbox.command()
@click.argument("reference")
@config_option
@json_option
def show(reference: str, config: Path, as_json: bool) -> None:
    """Show what is wanted of one REFERENCE, field by field, what it waits for, and why it failed the last time."""
    found = Session(config).carry("outbox.show", reference=reference)
    if as_json:
        output.as_json(found)
        return
    row, body, failure = found.pop("row"), found.pop("body"), found.pop("last_failure")
    known = {**_shown(row), **found, "last_failure": "  ".join(output.tried(failure)) if failure else None}
    output.fields({name.replace("_", " "): value for name, value in known.items()})
    click.echo("body:")
    output.fields({f"  {field}": value for field, value in (body or {"": "dropped with age"}).items()})


@outbox.command()
@click.argument("references", nargs=-1)
@click.option("--source", help="All that waits of this source.")
@click.option("--state", type=click.Choice(["pending", "refused"]), help="With --source or --all: only in this state.")
@click.option("--all", "everything", is_flag=True, help="All that waits.")
@config_option
def hold(references: Sequence[str], source: str | None, state: str | None, everything: bool, config: Path) -> None:
    """Keep these REFERENCES from being sent until they are released; newer versions of them are held too."""
    _check(references, source, everything=everything)
    found = Session(config).carry("outbox.hold", references=references, source=source, state=state)
    _say(found["held"], "held", found["left"])


@outbox.command()
@click.argument("references", nargs=-1)
@click.option("--source", help="All that is held of this source, and the rest of a run that the guard holds.")
@click.option("--all", "everything", is_flag=True, help="All that is held.")
@config_option
def release(references: Sequence[str], source: str | None, everything: bool, config: Path) -> None:
    """Send what was held, by hand or by the guard."""
    _check(references, source, everything=everything)
    found = Session(config).carry("outbox.release", references=references, source=source)
    _say(found["released"], "released", found["left"])


def _check(references: Sequence[str], source: str | None, *, everything: bool) -> None:
    if bool(references) + bool(source) + everything != 1:
        raise click.UsageError("name references, or one --source, or say --all")


def _say(count: int, done: str, left: Mapping[str, str]) -> None:
    click.echo(f"{count} {done}")
    for reference, state in left.items():
        click.echo(f"{output.plain(reference)} is {state}", err=True)


def _shown(one: Mapping[str, Any]) -> dict[str, Any]:
    due_in = None if one["due_in"] is None else span(one["due_in"])
    kept = {name: value for name, value in one.items() if name not in ("due_in", "at")}
    return {**kept, "due in": due_in, "since": output.moment(one["at"])}
