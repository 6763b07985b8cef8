"""The verb that forgets a person."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from cgsync.cli import output
from cgsync.cli.options import config_option, json_option
from cgsync.cli.session import Session
from cgsync.config import locate
from cgsync.state import LEDGER

LARGE = 2**28
"""Bytes of a ledger that take noticeable time to be written anew."""


@click.command()
@click.argument("person", metavar="EMAIL|REFERENCE")
@click.option("--dry-run", is_flag=True, help="Only show what would be removed.")
@config_option
@json_option
def forget(person: str, dry_run: bool, config: Path, as_json: bool) -> None:
    """Remove all that is stored of a person, for good: every activity and reject in which that e-mail address occurs,
    or the activities of the record behind that reference. What is read of them later is counted and left out.
    """
    if not dry_run:
        _warn(config)
    found = Session(config).carry("forget", name=person, dry_run=dry_run)
    if as_json:
        output.as_json(found)
    else:
        _show(found, dry_run=dry_run)
    if left := found.get("left"):
        click.echo(f"cgsync: bytes of it may still lie in unused parts of the ledger: {left['words']}", err=True)
        click.echo(f"  → {left['hint']}", err=True)
        sys.exit(1)


def _warn(config: Path) -> None:
    with contextlib.suppress(OSError):  # who may command need not be allowed to read the state
        if (size := (locate(config).state_dir / LEDGER).stat().st_size) >= LARGE:
            click.echo(f"the ledger ({size / 2**30:.1f} GiB) is written anew: nothing is stored meanwhile", err=True)


def _show(found: Mapping[str, Any], *, dry_run: bool) -> None:
    click.echo("would be removed:" if dry_run else "removed:")
    removed = {f"{state} activities": count for state, count in found["activities"].items()}
    removed |= {"rejects": found["rejects"] or None, "accounts": found["accounts"]}
    output.fields({f"  {name}": what for name, what in removed.items()})
    if not any(removed.values()):
        click.echo("  nothing: nothing is stored of them")
    click.echo("not in reach of cgsync:")
    received = {f"  CustomerGauge: {reference}": _answer(answer) for reference, answer in found["received"].items()}
    places = {f"  source {name}": "\n".join(positions) for name, positions in found["places"].items()}
    cursors = {"  read on from there": "\n".join(found["cursors"])}
    backups = {"  backups": "\n".join(found["backups"])}
    kept = {
        "  files": "what sources archived or saved, and what feeds them",
        "  logs": "of cgsync (`journalctl -u cgsync`)",
    }
    output.fields({**received, **places, **cursors, **backups, **kept})


def _answer(answer: Any) -> str:
    return "may have it" if answer is None else output.plain(answer)
