"""The verb that shows what a source and a mapping do: requests, then record beside activity beside verdict."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from cgsync.cli import output
from cgsync.cli.options import config_option, json_option
from cgsync.errors import ControlError


@click.command()
@click.argument("source")
@click.option("-n", "count", default=5, show_default=True, type=click.IntRange(1, 500), help="So many records.")
@config_option
@json_option
def preview(source: str, count: int, config: Path, as_json: bool) -> None:
    """Show what SOURCE asks over HTTP, and records beside what they become.

    Nothing is stored or sent, and no cursor moves.
    """
    from cgsync.cli.session import Session

    found = Session(config).carry("preview", source=source, count=count)
    if as_json:
        output.as_json(found)
    else:
        _show_all(found, source)
    if found["error"]:
        raise ControlError(found["error"], hint=found["hint"])
    sys.exit(3 if any(tried["verdict"] in {"invalid", "unreadable"} for tried in found["records"]) else 0)


def _show_all(found: Mapping[str, Any], source: str) -> None:
    for asked in found["requests"]:
        _request(asked)
    for tried in found["records"]:
        show(tried)
    if not found["records"] and not found["error"]:
        click.echo(f"{source} has nothing to show now")


def _request(asked: Mapping[str, Any]) -> None:
    """One request, and the head of its answer."""
    click.secho(output.plain(f"{asked['method']} {asked['url']}"), bold=True, color=output.colors())
    for line in output.plain(asked["body"]).splitlines():
        click.echo(f"  {line}")
    if asked["failure"]:
        click.echo(f"  ✗ {output.plain(asked['failure'])}")
    else:
        kind = output.plain(asked["content_type"]) or "no content type"
        click.echo(f"  ← {asked['status']}  {kind}  {asked['size']} bytes  {asked['seconds']} s")
    for name, value in asked["limits"].items():
        click.echo(f"    {output.plain(name)}: {output.plain(value)}")
    click.echo()


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
