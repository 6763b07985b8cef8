"""Verbs for an edited mapping: show what it would change, and do it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from cgsync.cli import output
from cgsync.cli.options import config_option, json_option
from cgsync.cli.session import Session
from cgsync.model import rejected

CHANGES = ("what", "reference", "position", "fields")


@click.command()
@click.argument("source")
@click.option("--fields", "by_field", is_flag=True, help="Show each change field by field, old → new.")
@click.option("--limit", default=20, show_default=True, help="Show at most so many changes; all of them are counted.")
@config_option
@json_option
def plan(source: str, by_field: bool, limit: int, config: Path, as_json: bool) -> None:
    """Show what the configuration as it is on disk now would change of SOURCE at CustomerGauge.

    The records that were kept (see retention: in the configuration) are mapped again and compared with what is wanted
    so far. Nothing is stored, nothing is sent; `cgsync apply` does it.
    """
    found = Session(config).carry("plan", source=source, limit=limit)
    if as_json:
        output.as_json(found)
        return
    output.fields({name: count for name, count in found["counts"].items() if count})
    _say("fields", [f"{name} ({count})" for name, count in found["fields"].items()])
    _say("new accounts", found["new_accounts"])
    for cause in found["rejected"]:
        _say("rejected", [f"{cause['count']} × {cause['cause']}, as {cause['example']}"])
    if by_field:
        for change in found["changes"]:
            _show(change)
    elif found["changes"]:
        output.rows([_shown(change) for change in found["changes"]], CHANGES, empty="")
    if not found["counts"]["created"] + found["counts"]["updated"]:
        click.echo("nothing would be sent")


@click.command()
@click.argument("source")
@config_option
@json_option
def apply(source: str, config: Path, as_json: bool) -> None:
    """Take the configuration as it is on disk, map what was kept of SOURCE again, and send what that changes.

    What is new at the sources goes first. Without a daemon, it is sent once one runs.
    """
    found = Session(config).carry("apply", source=source)
    if as_json:
        output.as_json(found)
    else:
        output.fields({**found["counts"], "without record": found["without_record"]})
    sys.exit(3 if rejected(found["counts"]) else 0)


def _say(what: str, words: list[str]) -> None:
    if words:
        click.echo(f"{what}: " + ", ".join(map(output.plain, words)))


def _show(change: Mapping[str, Any]) -> None:
    where = " ".join(output.plain(change[name]) for name in ("what", "reference", "position") if change.get(name))
    click.echo(where)
    for name, values in change.get("fields", {}).items():
        click.echo(f"  {output.plain(name)}: {_value(values['old'])} → {_value(values['new'])}")
    for name, words in change.get("reasons", {}).items():
        click.echo(f"  {output.plain(name)}: {output.plain(words)}")


def _shown(change: Mapping[str, Any]) -> dict[str, Any]:
    fields = change.get("fields") or change.get("reasons") or {}
    return {**change, "fields": ", ".join(name for name in fields if name)}


def _value(value: Any) -> str:
    return "nothing" if value is None else output.plain(value)
