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
    count = adopt_receiver(loaded.state_dir, loaded.receiver.identity, resend=new_receiver == "resend")
    words = f"{count} activities will be sent again" if new_receiver == "resend" else "nothing is sent again"
    click.echo(f"the ledger now belongs to {loaded.receiver.identity}; {words}")
