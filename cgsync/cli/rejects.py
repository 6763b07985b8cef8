"""Verbs about what was rejected: list, show, retry, drop."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from cgsync.cli import output
from cgsync.cli.options import config_option, json_option
from cgsync.cli.session import Session

GROUPED = ("count", "source", "kind", "cause", "example", "first", "last")
SINGLE = ("id", "source", "kind", "position", "reasons")


@click.group()
def rejects() -> None:
    """What did not become an activity: unreadable, invalid by our contract, or refused by the API."""


@rejects.command(name="list")
@config_option
@json_option
@click.option("--source", help="Only of this source.")
@click.option("--each", is_flag=True, help="One line a reject instead of one a cause.")
@click.option("--limit", default=1000, show_default=True, help="At most so many lines.")
def list_rejects(config: Path, as_json: bool, source: str | None, each: bool, limit: int) -> None:
    """List rejects, grouped by cause."""
    found = Session(config).carry("rejects.list", source=source, each=each, limit=limit)
    if as_json:
        output.as_json(found)
    else:
        output.rows([_shown(one) for one in found], SINGLE if each else GROUPED, empty="nothing is rejected")


def _shown(one: Mapping[str, Any]) -> dict[str, Any]:
    times = {"first": output.moment(one.get("first_at")), "last": output.moment(one["at"])}
    return {**one, **times, "reasons": _words(one.get("reasons", {}))}


def _words(reasons: Mapping[str, str]) -> str:
    return "; ".join(f"{field}: {words}" if field else words for field, words in reasons.items())


@rejects.command()
@click.argument("number", type=int)
@config_option
@json_option
def show(number: int, config: Path, as_json: bool) -> None:
    """Show one reject: the record, what was mapped of it, and the reason per field."""
    found = Session(config).carry("rejects.show", number=number)
    if as_json:
        output.as_json(found)
    else:
        reasons = {f"reason {field}".rstrip(): words for field, words in found.pop("reasons").items()}
        output.fields({**found, "at": output.moment(found["at"]), **reasons})


@rejects.command()
@click.argument("numbers", type=int, nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All of them, or all of --source.")
@click.option("--source", help="With --all: only of this source.")
@config_option
@json_option
def retry(numbers: tuple[int, ...], everything: bool, source: str | None, config: Path, as_json: bool) -> None:
    """Map rejected records again, with today's mapping; send again what the API refused."""
    _wanted(numbers, everything=everything)
    found = Session(config).carry("rejects.retry", numbers=list(numbers), source=source)
    if as_json:
        output.as_json(found)
    else:
        output.fields({**found["counts"], "cannot be retried": found["kept"]})
    sys.exit(3 if found["still_rejected"] else 0)


@rejects.command()
@click.argument("numbers", type=int, nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All of them, or all of --source.")
@click.option("--source", help="With --all: only of this source.")
@config_option
def drop(numbers: tuple[int, ...], everything: bool, source: str | None, config: Path) -> None:
    """Give rejects up: they are counted as dropped and gone."""
    _wanted(numbers, everything=everything)
    found = Session(config).carry("rejects.drop", numbers=list(numbers), source=source)
    click.echo(f"{found['dropped']} dropped")


def _wanted(numbers: tuple[int, ...], *, everything: bool) -> None:
    if bool(numbers) == everything:
        raise click.UsageError("name the numbers that `cgsync rejects list --each` shows, or say --all")
