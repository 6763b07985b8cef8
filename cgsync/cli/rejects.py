"""Verbs about what was rejected: list, show, retry, drop."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from cgsync.cli import output
from cgsync.cli.options import config_option, json_option
from cgsync.cli.session import Session
from cgsync.model import RejectKind

GROUPED = ("count", "source", "kind", "cause", "example", "first", "last")
SINGLE = ("id", "source", "kind", "position", "reasons")
KINDS = [kind.value for kind in RejectKind]


def which_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The rejects that a command is about."""
    for option in (
        click.option("--kind", type=click.Choice(KINDS), help="With --all: only of this kind."),
        click.option("--source", help="With --all: only of this source."),
        click.option("--like", type=int, metavar="NUMBER", help="All that have the cause that this one has."),
        click.option("--all", "everything", is_flag=True, help="All of them, or all of --source and --kind."),
        click.argument("numbers", type=int, nargs=-1),
    ):
        command = option(command)
    return command


@click.group()
def rejects() -> None:
    """What did not become an activity: unreadable, invalid by our contract, or refused by the API."""


@rejects.command(name="list")
@config_option
@json_option
@click.option("--source", help="Only of this source.")
@click.option("--kind", type=click.Choice(KINDS), help="Only of this kind.")
@click.option("--dropped", is_flag=True, help="Those that were given up, instead of the others.")
@click.option("--each", is_flag=True, help="One line a reject instead of one a cause.")
@click.option("--limit", default=1000, show_default=True, help="At most so many lines.")
def list_rejects(config: Path, as_json: bool, each: bool, **which: Any) -> None:
    """List rejects, grouped by cause."""
    found = Session(config).carry("rejects.list", each=each, **which)
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
        return
    reasons = {f"reason {field}".rstrip(): words for field, words in found.pop("reasons").items()}
    times = {name: output.moment(found.pop(name)) for name in ("first_at", "at", "dropped_at")}
    named = {"first": times["first_at"], "last": times["at"], "dropped": times["dropped_at"]}
    content = {name: found.pop(name) for name in ("record", "mapped")}
    output.fields({**found, **named, **reasons, **content})


@rejects.command()
@which_options
@config_option
@json_option
def retry(config: Path, as_json: bool, everything: bool, **which: Any) -> None:
    """Map rejected records again, with today's mapping; send again what the API refused."""
    _wanted(which, everything=everything)
    found = Session(config).carry("rejects.retry", **which)
    if as_json:
        output.as_json(found)
    else:
        output.fields({**found["counts"], "cannot be retried": found["kept"]})
    sys.exit(3 if found["still_rejected"] else 0)


@rejects.command()
@which_options
@click.option("--reason", required=True, help="Why; `cgsync rejects show` tells it later.")
@config_option
def drop(config: Path, everything: bool, reason: str, **which: Any) -> None:
    """Give rejects up: they are out of sight, and not tried again, as long as their records are the same."""
    _wanted(which, everything=everything)
    found = Session(config).carry("rejects.drop", reason=reason, **which)
    click.echo(f"{found['dropped']} dropped")


def _wanted(which: Mapping[str, Any], *, everything: bool) -> None:
    if (which["source"] or which["kind"]) and not everything:
        raise click.UsageError("--source and --kind narrow --all down: say that too")
    if sum((bool(which["numbers"]), which["like"] is not None, everything)) != 1:
        raise click.UsageError(
            "name the numbers that `cgsync rejects list --each` shows, or one with --like, or say --all"
        )
