"""The verb that shows what a mapping does: record beside activity beside verdict."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from cgsync.cli import output
from cgsync.cli.options import config_option, json_option


@click.command()
@click.argument("source")
@click.option("-n", "count", default=5, show_default=True, type=click.IntRange(1, 500), help="So many records.")
@config_option
@json_option
def preview(source: str, count: int, config: Path, as_json: bool) -> None:
    """Show records of SOURCE beside what they become. Nothing is stored or sent, and no cursor moves."""
    from cgsync.cli.session import Session

    found = Session(config).carry("preview", source=source, count=count)
    if as_json:
        output.as_json(found)
    elif found:
        for tried in found:
            show(tried)
    else:
        click.echo(f"{source} has nothing to show now")
    sys.exit(3 if any(tried["verdict"] in {"invalid", "unreadable"} for tried in found) else 0)


def _body(body: Mapping[str, Any], indent: str) -> None:
    for name, value in body.items():
        if isinstance(value, Mapping):
            click.echo(f"{indent}{name}:")
            _body(value, indent + "  ")
        else:
            click.echo(f"{indent}{name}: {output.plain(value)}")


def show(tried: Mapping[str, Any]) -> None:
    """One record: where it is, its values, and the activities or the reasons."""
    click.secho(f"{tried['position']}  {tried['verdict']}", bold=True, color=output.colors())
    record = tried["record"]
    for name, value in record.items() if isinstance(record, Mapping) else [("raw", record)]:
        click.echo(f"  {name}: {output.plain(value)}")
    for body in tried["activities"]:
        click.echo("  ⇒")
        _body(body, "    ")
    for field, words in tried["reasons"].items():
        click.echo(f"  ✗ {field}: {words}" if field else f"  ✗ {words}")
    click.echo()
