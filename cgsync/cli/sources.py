"""Verbs about a source as the ledger knows it: rename, drop."""

from __future__ import annotations

from pathlib import Path

import click

from cgsync.cli.options import config_option
from cgsync.cli.session import Session


@click.group()
def source() -> None:
    """Sources as the ledger knows them."""


@source.command()
@click.argument("old")
@click.argument("new")
@config_option
def rename(old: str, new: str, config: Path) -> None:
    """Give the state of source OLD to the name NEW: nothing is read or sent again."""
    Session(config).carry("source.rename", old=old, new=new)
    click.echo(f"{old} is now {new}; rename it in the configuration too, then `cgsync reload`")


@source.command()
@click.argument("name")
@click.confirmation_option("--yes", prompt="What waits of this source will not be sent, its checkpoints go. Drop it?")
@config_option
def drop(name: str, config: Path) -> None:
    """End a source that is no longer configured: what still waits of it is given up."""
    found = Session(config).carry("source.drop", name=name)
    click.echo(f"{name} is dropped, with {found['dropped']} activities that were not delivered")
