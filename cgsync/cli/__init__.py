"""The command line: one module per group of verbs, imported only when its verb is typed."""

from __future__ import annotations

import errno
import importlib
import sys
from typing import Any

import click

from cgsync import __version__
from cgsync.errors import CgsyncError

MACHINE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO, errno.ENOSPC, errno.EROFS})
"""What the machine lacks, wherever it shows: no mistake of ours that a traceback would explain."""

VERBS: dict[str, tuple[str, str]] = {
    "init": ("init:init", "Write a first configuration, from a few questions or from flags."),
    "run": ("run:run", "Run the daemon, or poll everything once with --once."),
    "check": ("configuration:check", "Check the configuration, all errors at once; --online tries every login."),
    "preview": ("preview:preview", "Show records beside the activities they become; stores and sends nothing."),
    "test": ("cases:test", "Run the configuration's own tests without network; --record makes one."),
    "status": ("state:status", "Show sources, outbox and pace, and what is wrong."),
    "explain": ("explain:explain", "Tell what became of one reference, and why."),
    "audit": ("state:audit", "Prove that the books balance."),
    "plan": ("plan:plan", "Show what an edit of the mapping would change at CustomerGauge."),
    "apply": ("plan:apply", "Take the edited configuration, and send what that changes."),
    "outbox": ("outbox:outbox", "List, show, hold or release what is to be sent."),
    "forget": ("forget:forget", "Remove all that is stored of a person, and leave out what comes of them later."),
    "metrics": ("state:metrics", "Print how things stand as Prometheus reads it."),
    "rejects": ("rejects:rejects", "List, show, retry or drop what was rejected."),
    "checkpoint": ("checkpoints:checkpoint", "List, show, set or reset how far a source was read."),
    "backup": ("backup:backup", "Make a checked copy of the ledger, also while the daemon runs."),
    "reload": ("run:reload", "Have the daemon take a changed configuration, or say why not."),
    "pause": ("operating:pause", "Let sources or the sending rest, also over a restart."),
    "resume": ("operating:resume", "Let sources or the sending go on."),
    "poll": ("operating:poll", "Poll a source now, and say what came in."),
    "backfill": ("backfills:backfill", "Read a span of time of a source again; list such backfills, or stop one."),
    "source": ("sources:source", "Rename a source, or drop what is left of one."),
    "preset": ("plugins:preset", "List the sources that are known by name, or show what one asks for and does."),
    "plugin": ("plugins:plugin", "List source plugins, show the options of one; begin one of your own, verify it."),
    "schema": ("configuration:schema", "Print the JSON Schema of the configuration or of an activity."),
    "config": ("configuration:config", "Show the configuration as it is understood, and where each value is from."),
    "doctor": ("doctor:doctor", "Settle what only you can decide: another receiver, a restored ledger."),
    "sandbox": ("tryout:sandbox", "Run a stand-in for CustomerGauge to try things against."),
    "demo": ("tryout:demo", "Show all of it at work: sandbox, sample exports and the daemon."),
}
"""verb → where it is, and what ``--help`` says of it (the help must not import sixteen modules)"""


class Verbs(click.Group):
    """A group that imports a command when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return super().get_command(ctx, cmd_name)
        module, _, name = VERBS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(f"cgsync.cli.{module}"), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(verb, words) for verb, (_, words) in VERBS.items()])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Name the nearest verb when there is none of that name."""
        if args and args[0] not in VERBS:
            from difflib import get_close_matches

            near = get_close_matches(args[0], VERBS, n=1)
            ctx.fail(f"no such command: {args[0]}" + (f", did you mean {near[0]}?" if near else ""))
        return super().resolve_command(ctx, args)


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("-c", "--config", "config", metavar="FILE", help="The configuration; else $CGSYNC_CONFIG, ./cgsync.yaml, "
              "/etc/cgsync/config.yaml.")  # fmt: skip
@click.version_option(__version__, prog_name="cgsync", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context, config: str | None) -> None:
    """Bring tickets, mails and exports into CustomerGauge as activities, and prove what was sent.

    Exit status: 0 done, 1 it failed, 2 usage, 3 done but something was rejected, 69 no daemon to talk to, 74 the
    store, 75 a commit whose outcome is unknown, 77 no permission, 78 the configuration or a newer schema.
    """
    ctx.obj = {"config": config}


def main() -> None:
    """The console script: errors become one sentence and an exit status."""
    try:
        cli.main(prog_name="cgsync", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.exceptions.Exit as ended:
        sys.exit(ended.exit_code)
    except click.Abort:
        sys.exit(130)
    except CgsyncError as error:
        _say(error)
        sys.exit(error.exit_status)
    except BrokenPipeError:  # `cgsync … | head`
        sys.stderr.close()
        sys.exit(141)
    except OSError as error:
        if error.errno not in MACHINE:
            raise
        click.echo(f"cgsync: {error.strerror}{f': {error.filename}' if error.filename else ''}", err=True)
        sys.exit(1)


def _say(error: CgsyncError) -> None:
    click.echo(f"cgsync: {error.message}", err=True)
    if error.hint:
        click.echo(f"  → {error.hint}", err=True)
