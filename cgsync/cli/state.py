"""Verbs that tell how things stand: status, audit, metrics."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from cgsync.cli import output
from cgsync.cli.options import config_option, json_option
from cgsync.cli.session import Session
from cgsync.clock import span

SOURCE_COLUMNS = ("source", "condition", "since", "last success", "read", "delivered", "pending", "rejected")
BALANCE_COLUMNS = ("source", "what", "in", "out", "even")


@click.command()
@config_option
@json_option
def status(config: Path, as_json: bool) -> None:
    """Show sources, outbox and pace; what is wrong; and what to do about it."""
    found = Session(config).carry("status")
    if as_json:
        output.as_json(found)
        return
    click.echo(found["summary"])
    output.rows([_shown(source) for source in found["sources"]], SOURCE_COLUMNS, empty="no source is configured")
    output.fields({f"outbox {name}": count for name, count in found["outbox"].items()})
    for each in found["backfills"]:
        click.echo(f"backfill {each['id']} of {each['source']} runs: `cgsync backfill` shows how far it is")
    if found["without_body"]:
        click.echo(f"{found['without_body']} delivered activities have lost their body with age (`retention:`)")
    sender = found["sender"]
    if sender:
        sender["next probe"] = span(sender["next probe"])
    output.fields({f"sender {name}": value for name, value in sender.items()})
    for trouble in found["trouble"]:
        click.echo(f"! {trouble['what']}: {trouble['words']}")
        if trouble["hint"]:
            click.echo(f"  → {trouble['hint']}")


def _shown(source: Mapping[str, Any]) -> dict[str, Any]:
    times = {name: output.moment(source[name.replace(" ", "_")]) for name in ("since", "last success")}
    return {name: source.get(name) for name in SOURCE_COLUMNS} | times


@click.command()
@config_option
@json_option
def audit(config: Path, as_json: bool) -> None:
    """Prove that the books balance; exit 1 when they do not."""
    found = Session(config).carry("audit")
    if as_json:
        output.as_json(found)
    else:
        rows = [_balance(each) for each in found["equations"]]
        output.rows(
            [row for row in rows if row["in"] != row["out"] or row["in"] != "0"],
            BALANCE_COLUMNS,
            empty="nothing was read yet",
        )
        click.echo("the books balance" if found["ok"] else "the books do NOT balance: please report this")
    sys.exit(0 if found["ok"] else 1)


def _balance(equation: Mapping[str, Any]) -> dict[str, Any]:
    """The two sides as sums, terms of zero left out."""
    return {
        "source": equation["source"] or "all",
        "what": equation["name"],
        "in": _sum(equation["left"]),
        "out": _sum(equation["right"]),
        "even": sum(equation["left"].values()) == sum(equation["right"].values()),
    }


def _sum(terms: Mapping[str, int]) -> str:
    return " + ".join(f"{count} {name}" for name, count in terms.items() if count) or "0"


@click.command()
@config_option
def metrics(config: Path) -> None:
    """Print how things stand as Prometheus reads it: what /metrics says."""
    click.echo(Session(config).carry("metrics"), nl=False)
