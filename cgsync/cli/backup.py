"""The verb that copies the ledger."""

from __future__ import annotations

from pathlib import Path

import click

from cgsync.cli import output
from cgsync.cli.options import config_option, json_option
from cgsync.cli.session import Session


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False, resolve_path=True))
@config_option
@json_option
def backup(file: Path | None, config: Path, as_json: bool) -> None:
    """Make a checked copy of the ledger: at FILE, which is replaced, or in the folder of the scheduled ones."""
    made = Session(config).carry("backup", **({"file": str(file)} if file else {}))
    if as_json:
        output.as_json(made)
    else:
        click.echo(f"{made['file']}: {made['bytes']:,} bytes, sound")
