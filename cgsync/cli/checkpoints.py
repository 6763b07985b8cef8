"""Verbs about how far sources were read: list, show, set, reset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from cgsync.cli import output
from cgsync.cli.options import config_option, json_option
from cgsync.cli.session import Session


@click.group()
def checkpoint() -> None:
    """How far each part of a source (a file, a folder, a partition) was read."""


@checkpoint.command(name="list")
@click.argument("source", required=False)
@config_option
@json_option
def list_parts(source: str | None, config: Path, as_json: bool) -> None:
    """List the parts of all sources, or of one."""
    found = Session(config).carry("checkpoint.list", source=source)
    if as_json:
        output.as_json(found)
    else:
        shown = [{**one, "at": output.moment(one["at"])} for one in found]
        output.rows(shown, ["source", "part", "value", "at"], empty="nothing was read yet")


@checkpoint.command()
@click.argument("source")
@click.argument("part")
@config_option
@json_option
def show(source: str, part: str, config: Path, as_json: bool) -> None:
    """Show one part whole."""
    found = [item for item in Session(config).carry("checkpoint.list", source=source) if item["part"] == part]
    if not found:
        raise click.UsageError(f"source {source} has no part {part!r}; `cgsync checkpoint list {source}` shows them")
    if as_json:
        output.as_json(found[0])
    else:
        output.fields(found[0])


@checkpoint.command(name="set")
@click.argument("source")
@click.argument("part")
@click.argument("value")
@config_option
def set_part(source: str, part: str, value: str, config: Path) -> None:
    """Set one PART to a VALUE (JSON)."""
    Session(config).carry("checkpoint.set", source=source, part=part, value=_json(value))
    click.echo(f"{source}: {part} is set")


@checkpoint.command()
@click.argument("source")
@click.argument("part", required=False)
@config_option
def reset(source: str, part: str | None, config: Path) -> None:
    """Forget one PART, or all: the source is read again from there; what did not change is not sent again."""
    found = Session(config).carry("checkpoint.reset", source=source, part=part)
    click.echo(f"{source}: {found['forgotten']} parts forgotten")


def _json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise click.UsageError(f"VALUE is not JSON: {error}") from None
