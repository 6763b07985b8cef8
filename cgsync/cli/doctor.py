"""The verb for what only a person can decide."""

from __future__ import annotations

from pathlib import Path

import click

from cgsync.cli.options import config_option


@click.command()
@click.option(
    "--new-receiver",
    type=click.Choice(["resend", "keep"]),
    required=True,
    help="The configuration names another receiver: `resend` sends all there that is known, `keep` takes it as done.",
)
@config_option
def doctor(new_receiver: str, config: Path) -> None:
    """Bind the ledger to the receiver that the configuration names now."""
    from cgsync.cli.session import Session
    from cgsync.ledger import adopt_receiver

    loaded, _ = Session(config).load()
    adopted = adopt_receiver(loaded.state_dir, loaded.receiver.identity, resend=new_receiver == "resend")
    click.echo(f"the ledger belonged to {adopted.previous}, now to {loaded.receiver.identity}")
    if new_receiver == "resend":
        click.echo(f"{adopted.queued} activities will be sent there")
    if adopted.without_body:
        click.echo(f"{adopted.without_body} more can be sent only when their sources are read again")
