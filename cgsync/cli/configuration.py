"""Verbs about the configuration itself: check, config show, schema, plugin list."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cgsync.cli import output
from cgsync.cli.options import config_option, json_option

if TYPE_CHECKING:
    from cgsync.config import Diagnostic


@click.command()
@config_option
@json_option
@click.option("--online", is_flag=True, help="Log in everywhere and read one record of each source.")
def check(config: Path, as_json: bool, online: bool) -> None:
    """Check the configuration: all errors at once, each with its place."""
    from cgsync.config import ConfigInvalid, load

    try:
        loaded = load(config)
    except ConfigInvalid as error:
        count = len(error.diagnostics)
        _show(error.diagnostics, f"{config}: {count} error{'s' if count > 1 else ''}", as_json=as_json)
        sys.exit(error.exit_status)
    if online:
        from cgsync.cli.session import Session

        _report_online(Session(config).carry("check"), as_json=as_json)
        return
    for name, broken in loaded.broken.items():
        click.echo(f"{config}: source {name}: its plugin is broken: {broken.reason}", err=True)
    words = "the rest is ok" if loaded.broken else "ok"
    _show(loaded.warnings, f"{config}: {words}, {len(loaded.sources)} sources", as_json=as_json)
    sys.exit(1 if loaded.broken else 0)


def _show(diagnostics: Sequence[Diagnostic], verdict: str, *, as_json: bool) -> None:
    from cgsync.config import render

    if as_json:
        output.as_json(diagnostics)
        return
    if diagnostics:
        click.echo(render(diagnostics, color=output.colors()))
    click.echo(verdict)


def _report_online(results: list[dict[str, str]], *, as_json: bool) -> None:
    if as_json:
        output.as_json(results)
    else:
        output.rows(results, ["what", "verdict", "seen"], empty="nothing to try")
    if any(result["verdict"] != "ok" for result in results):
        sys.exit(1)


@click.group()
def config() -> None:
    """The configuration as it is understood."""


@config.command()
@config_option
@json_option
def show(config: Path, as_json: bool) -> None:
    """Every value in force, and where it came from; secrets are masked."""
    from cgsync.config import show as shown

    values = [{"path": value.path, "value": value.value, "origin": value.origin} for value in shown(config)]
    if as_json:
        output.as_json(values)
    else:
        output.rows(values, ["path", "value", "origin"], empty="nothing is configured")


@click.group()
def schema() -> None:
    """JSON Schemas, for editors and for tests."""


@schema.command(name="config")
def schema_config() -> None:
    """The schema of the configuration with all installed plugins."""
    from cgsync.config import json_schema
    from cgsync.plugins import installed, load

    table = load([plugin.name for plugin in installed()])
    output.as_json(json_schema(table.types))


@schema.command(name="activity")
def schema_activity() -> None:
    """The schema of an activity as it is sent."""
    from importlib.resources import files

    click.echo(files("cgsync").joinpath("schemas", "activity.schema.json").read_text(encoding="utf-8"), nl=False)
