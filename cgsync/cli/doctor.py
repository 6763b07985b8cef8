"""The verb for what only a person can decide."""

from __future__ import annotations

from pathlib import Path

import click

from cgsync.cli.options import config_option
from cgsync.cli.session import Session
from cgsync.ledger import adopt_receiver, distrust


@click.command()
@click.option(
    "--new-receiver",
    type=click.Choice(["resend", "keep"]),
    help="The configuration names another receiver: `resend` sends all there that is known, `keep` takes it as done.",
)
@click.option("--restored", is_flag=True, help="The ledger is an old copy: send everything again, whatever it says.")
@config_option
def doctor(new_receiver: str | None, restored: bool, config: Path) -> None:
    """Settle what the program must not decide by itself. The daemon has to be stopped for it."""
    if restored == bool(new_receiver):
        raise click.UsageError("say --new-receiver resend, --new-receiver keep, or --restored")
    if new_receiver:
        _adopt(config, resend=new_receiver == "resend")
    else:
        _distrust(config)


def _adopt(config: Path, *, resend: bool) -> None:
    loaded, _ = Session(config).load()
    adopted = adopt_receiver(loaded.state_dir, loaded.receiver.identity, resend=resend)
    click.echo(f"the ledger belonged to {adopted.previous}, now to {loaded.receiver.identity}")
    if resend:
        _report(adopted.queued, adopted.without_body)


def _distrust(config: Path) -> None:
    loaded, _ = Session(config).load()
    requeued = distrust(loaded.state_dir)
    _report(requeued.queued, requeued.without_body)


def _report(queued: int, without_body: int) -> None:
    click.echo(f"{queued} activities will be sent")
    if without_body:
        click.echo(f"{without_body} more can be sent only when their sources are read again")
