"""The verb that writes a first configuration, from a few questions or from flags."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cgsync.errors import ControlError

if TYPE_CHECKING:
    from cgsync.cli.draft import Draft
    from cgsync.plugins import PluginTable
    from cgsync.plugins.describing import Option

REGIONS = ("eu", "us", "au")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
FOLDER = "credentials"
"""beside the configuration: where a secret goes that was typed in"""
CLIENT_SECRET = "cg-client-secret"  # noqa: S105 - the name of a file, not a secret

Ask = Callable[..., str]


@dataclass(slots=True, kw_only=True)
class Secrets:
    """Secrets that were typed in, by the name of the file that they go to."""

    typed: dict[str, str] = field(default_factory=dict)

    def reference(self, name: str, value: str) -> str:
        """What stands in the configuration for it; a reference is left as it is."""
        if value.startswith("${") and value.endswith("}"):
            return value
        self.typed[name] = value
        return f"${{file:{FOLDER}/{name}}}"


@click.command()
@click.option("--preset", metavar="NAME", help="A source that is known; `cgsync preset list` names them.")
@click.option("--plugin", metavar="NAME", help="Or a plugin, to describe the source yourself.")
@click.option("--with", "given", metavar="KEY=VALUE", multiple=True, help="For the preset, or an option of the plugin.")
@click.option("--name", metavar="NAME", help="What the source is called; else as the preset or the plugin.")
@click.option("--region", type=click.Choice(REGIONS), help="Where you log in to CustomerGauge.")
@click.option("--client-id", metavar="ID", help="The OAuth2 client; else ${CG_CLIENT_ID}.")
@click.option("--client-secret", metavar="SECRET", help="Its secret; else ${credential:cg-client-secret}.")
@click.option("--plugin-dir", type=click.Path(path_type=Path, exists=True), help="A folder with plugins of your own.")
@click.option("--output", type=click.Path(path_type=Path), default="cgsync.yaml", show_default=True, help="The file.")
@click.option("--force", is_flag=True, help="Write over what is there.")
@click.option("--yes", is_flag=True, help="Ask nothing.")
def init(*, given: Sequence[str], output: Path, force: bool, yes: bool, plugin_dir: Path | None, **flags: Any) -> None:
    """Write a first configuration: commented, checked, readable by you alone.

    On a terminal it asks for what was not given. A secret that is typed in goes to a file of its own beside it.
    """
    if output.exists() and not force:
        raise ControlError(f"{output} is there already", hint="name another with --output, or say --force")
    ask = _silent if yes or not sys.stdin.isatty() else _asking
    secrets = Secrets()
    draft = _drafted(flags, _pairs(given), _plugins(plugin_dir), secrets, ask)
    if plugin_dir is not None:
        draft = replace(draft, plugin_dir=str(plugin_dir.resolve()))
    _write(draft, secrets, output, force=force)
    _tell(draft, output)


def _drafted(flags: Mapping[str, Any], given: dict[str, str], table: PluginTable, secrets: Secrets, ask: Ask) -> Draft:
    from cgsync.cli.draft import Draft
    from cgsync.cli.plugins import chosen, kind_of
    from cgsync.plugins.describing import described

    preset, plugin = _kind(flags, table, ask)
    if preset:
        found = chosen(preset, table)
        plugin, title, options = found.plugin, found.title, described(found.given)
    else:
        title, options = "", described(kind_of(plugin, table).options_schema)
    name = flags["name"] or ask("Name of the source", default=preset.rpartition("/")[2] or f"my-{plugin}")
    if not NAME.fullmatch(name):
        raise click.UsageError(f"{name!r} is no name: letters, digits, ., - and _, at most 64")
    return Draft(
        name=name,
        plugin=plugin,
        preset=preset,
        title=title,
        given=_given(name, given, options, secrets, ask),
        offered=tuple(options),
        region=flags["region"] or ask("Region of CustomerGauge", choice=REGIONS, flag="--region"),
        client_id=flags["client_id"] or ask("OAuth2 client id", default="${CG_CLIENT_ID}"),
        client_secret=_client_secret(flags["client_secret"], secrets, ask),
    )


def _kind(flags: Mapping[str, Any], table: PluginTable, ask: Ask) -> tuple[str, str]:
    """The preset, or else the plugin."""
    if flags["preset"] and flags["plugin"]:
        raise click.UsageError("say --preset or --plugin, not both")
    if flags["preset"] or flags["plugin"]:
        return flags["preset"] or "", flags["plugin"] or ""
    presets = sorted(name for kind in table.types.values() for name in kind.presets)
    chosen = ask("Which preset or plugin", choice=[*presets, *sorted(table.types)], flag="--preset or --plugin")
    return (chosen, "") if chosen in presets else ("", chosen)


def _given(name: str, given: dict[str, str], options: Sequence[Option], secrets: Secrets, ask: Ask) -> dict[str, str]:
    values = dict(given)
    for option in options:
        if option.required and "." not in option.path and option.path not in values:
            words = f"{option.path}: {option.description}" if option.description else option.path
            values[option.path] = ask(words, hidden=option.secret, flag=f"--with {option.path}=…")
    hidden = {option.path for option in options if option.secret}
    return {key: secrets.reference(f"{name}-{key}", value) if key in hidden else value for key, value in values.items()}


def _client_secret(given: str | None, secrets: Secrets, ask: Ask) -> str:
    later = f"${{credential:{CLIENT_SECRET}}}"
    return secrets.reference(CLIENT_SECRET, given or ask("OAuth2 client secret", default=later, hidden=True))


def _pairs(given: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for each in given:
        key, equals, value = each.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", key):
            raise click.UsageError(f"--with {each.partition('=')[0]!r}: say KEY=VALUE")
        pairs[key] = value
    return pairs


def _plugins(plugin_dir: Path | None) -> PluginTable:
    from cgsync import plugins

    return plugins.load(plugins.names(plugin_dir), plugin_dir)


def _silent(words: str, *, default: str = "", flag: str = "", **_: Any) -> str:
    if not default:
        raise click.UsageError(f"say {flag}  ({words})")
    return default


def _asking(words: str, *, default: str = "", choice: Sequence[str] = (), hidden: bool = False, **_: Any) -> str:
    """Ask on the terminal; what is hidden is not shown while it is typed."""
    kind = click.Choice(choice) if choice else None
    shown = "" if hidden and default else default
    return str(click.prompt(words, default=default or None, type=kind, hide_input=hidden, show_default=bool(shown)))


def _write(draft: Draft, secrets: Secrets, output: Path, *, force: bool) -> None:
    """All of it or nothing: what does not pass the check is not left behind."""
    from cgsync.cli.draft import text
    from cgsync.config import ConfigInvalid, load

    output.parent.mkdir(parents=True, exist_ok=True)
    made = [_keep(output.parent / FOLDER / name, value, force=force) for name, value in secrets.typed.items()]
    fresh = output.with_name(f".{output.name}.new")
    try:
        _create(fresh, text(draft), force=True)
        load(fresh, placeholders=True)
        fresh.replace(output)
    except ConfigInvalid as error:
        _remove(made)
        raise ConfigInvalid([replace(each, file=output) for each in error.diagnostics]) from None
    finally:
        fresh.unlink(missing_ok=True)


def _keep(path: Path, value: str, *, force: bool) -> Path:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    try:
        _create(path, value + "\n", force=force)
    except FileExistsError:
        raise ControlError(f"{path} is there already", hint="remove it, or say --force") from None
    return path


def _create(path: Path, content: str, *, force: bool) -> None:
    how = os.O_TRUNC if force else os.O_EXCL
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | how, 0o600), "w", encoding="utf-8") as stream:
        os.fchmod(stream.fileno(), 0o600)
        stream.write(content)


def _remove(made: Sequence[Path]) -> None:
    for path in made:
        path.unlink(missing_ok=True)
        with suppress(OSError):  # others lie in it
            path.parent.rmdir()


def _tell(draft: Draft, output: Path) -> None:
    """What was written, what is still to be put in place, and what to type next."""
    from cgsync.config.places import credential_folder

    click.echo(f"{output} is written, for you alone to read.\n")
    missing = _missing(draft, credential_folder(output.absolute()))
    for words in missing:
        click.echo(f"First: {words}")
    named = "" if str(output) == "cgsync.yaml" and os.geteuid() else f" -c {output}"  # root must name it
    click.echo("Then:" if missing else "Next:")
    steps = {
        "check --online": "log in everywhere",
        f"preview {draft.name}": "what it asks, and records beside the activities they become",
        "run --once --dry-run": "what one pass would send",
    }
    width = max(map(len, steps))
    for words, what in steps.items():
        click.echo(f"  cgsync{named} {words:<{width}}  # {what}")


def _missing(draft: Draft, credentials: Path) -> list[str]:
    """What to do about references whose values are not there yet."""
    found = []
    for value in (draft.client_id, draft.client_secret, *draft.given.values()):
        for kind, name in re.findall(r"\$\{(credential:)?([A-Za-z0-9_.-]+)\}", value):
            if kind and not (credentials / name).exists():
                found.append(f"put the credential in place: install -m 400 /dev/stdin {credentials / name}")
            elif not kind and name not in os.environ:
                found.append(f"set {name} in the environment of the service")
    return found
