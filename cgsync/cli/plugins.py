"""The verbs about source plugins and the presets that they bring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cgsync.cli import output
from cgsync.cli.authoring import new, verify
from cgsync.cli.options import json_option, optional_config_option
from cgsync.errors import ControlError

if TYPE_CHECKING:
    from cgsync.api import SourceType
    from cgsync.plugins import PluginTable
    from cgsync.plugins.presets import Preset

COLUMNS = ("option", "type", "default", "what it is")


@click.group()
def plugin() -> None:
    """Source plugins."""


@plugin.command(name="list")
@optional_config_option
@json_option
def list_plugins(config: Path | None, as_json: bool) -> None:
    """Every plugin, whether it works, and why not. With a configuration, those in its plugin_dir too."""
    from cgsync.plugins import installed

    table = loaded(config)
    known = {each.name: each for each in installed()}
    rows = [
        {
            "name": name,
            "distribution": known[name].distribution if name in known else "plugin_dir",
            "version": known[name].version if name in known else "",
            "state": "broken" if name in table.broken else "ok",
            "presets": len(table.types[name].presets) if name in table.types else 0,
            "reason": table.broken[name].reason if name in table.broken else "",
        }
        for name in sorted({*table.types, *table.broken})
    ]
    if as_json:
        output.as_json(rows)
    else:
        output.rows(rows, list(rows[0]) if rows else [], empty="no plugin is installed")


@plugin.command(name="show")
@click.argument("name")
@optional_config_option
@json_option
def show_plugin(name: str, config: Path | None, as_json: bool) -> None:
    """The options of plugin NAME, a sample, and its presets."""
    from cgsync.plugins.describing import described

    kind = kind_of(name, loaded(config))
    options = [asdict(each) for each in described(kind.options_schema)]
    if as_json:
        presets = sorted(kind.presets)
        output.as_json({"name": name, "options": options, "sample": kind.sample, "presets": presets})
        return
    _options(options)
    click.echo(f"\nA sample:\n\n{_below(name, kind.sample)}")
    if kind.presets:
        click.echo(f"Presets: {', '.join(sorted(kind.presets))}")


@click.group()
def preset() -> None:
    """Presets: sources that a plugin knows, so that you write only what is your own."""


@preset.command(name="list")
@optional_config_option
@json_option
def list_presets(config: Path | None, as_json: bool) -> None:
    """Every preset of the installed plugins. With a configuration, those in its plugin_dir too."""
    table = loaded(config)
    rows: list[Mapping[str, Any]] = [
        {"name": name, "plugin": plugin, **_title(kind, name)}
        for plugin, kind in sorted(table.types.items())
        for name in sorted(kind.presets)
    ]
    if as_json:
        output.as_json(rows)
    else:
        output.rows(rows, ["name", "plugin", "title", "asks for"], empty="no plugin that is installed has a preset")


@preset.command(name="show")
@click.argument("name")
@optional_config_option
@json_option
def show_preset(name: str, config: Path | None, as_json: bool) -> None:
    """What preset NAME asks for in with:, and the source that it stands for."""
    from cgsync.plugins.describing import described

    found = chosen(name, loaded(config))
    asked = [asdict(each) for each in described(found.given)]
    if as_json:
        what = {"name": found.name, "plugin": found.plugin, "title": found.title}
        output.as_json({**what, "with": asked, "source": found.source, "modes": found.modes})
        return
    click.echo(f"{found.title}  (plugin {found.plugin})\n")
    _options(asked)
    click.echo(f"\nTo use it:\n\n{_use(found)}\nThe preset:\n\n{found.text.strip()}")


def loaded(config: Path | None) -> PluginTable:
    """Every plugin that there is; with a configuration, those of its ``plugin_dir`` too."""
    from cgsync import plugins
    from cgsync.config import locate

    plugin_dir = locate(config).plugin_dir if config else None
    return plugins.load(plugins.names(plugin_dir), plugin_dir)


def chosen(name: str, table: PluginTable) -> Preset:
    """The preset of that name, or of ``plugin/name``."""
    from cgsync.plugins.presets import read

    plugin, _, bare = name.rpartition("/")
    offers = [kind for kind in table.types.values() if bare in kind.presets and plugin in ("", kind.name)]
    if len(offers) == 1:
        return read(offers[0], bare)
    if offers:
        choice = " or ".join(f"{kind.name}/{bare}" for kind in offers)
        raise ControlError(f"several plugins have a preset {bare!r}", hint=choice)
    raise _unknown("preset", bare, {name for kind in table.types.values() for name in kind.presets})


def kind_of(name: str, table: PluginTable) -> SourceType:
    """The plugin of that name."""
    if name in table.broken:
        raise ControlError(f"plugin {name} is broken: {table.broken[name].reason}")
    if name not in table.types:
        raise _unknown("plugin", name, table.types)
    return table.types[name]


def _unknown(what: str, name: str, known: Any) -> ControlError:
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1)
    asked = f", did you mean {near[0]}?" if near else ""
    there = ", ".join(sorted(known)) or "none"
    return ControlError(f"there is no {what} {name!r}{asked}", hint=f"there are: {there}")


def _title(kind: SourceType, name: str) -> dict[str, str]:
    from cgsync.errors import PluginError
    from cgsync.plugins.presets import read

    try:
        found = read(kind, name)
    except PluginError as error:
        return {"title": f"broken: {error.message}", "asks for": ""}
    return {"title": found.title, "asks for": ", ".join(found.given.get("required", ()))}


def _options(options: Sequence[Mapping[str, Any]]) -> None:
    rows = [
        {
            "option": each["path"],
            "type": f"{each['kind']}, secret" if each["secret"] else each["kind"],
            "default": "required" if each["required"] else each["default"],
            "what it is": each["description"],
        }
        for each in options
    ]
    output.rows(rows, COLUMNS, empty="it has no options")


def _use(preset: Preset) -> str:
    needed = preset.given.get("required", ())
    given = "".join(f"      {name}: …\n" for name in needed)
    return f"sources:\n  my-{preset.name}:\n    preset: {preset.name}\n" + (f"    with:\n{given}" if needed else "")


def _below(name: str, sample: str) -> str:
    lines = "".join(f"      {line}".rstrip() + "\n" for line in sample.strip().splitlines())
    return f"sources:\n  my-{name}:\n    {name}:\n{lines}"


plugin.add_command(new)
plugin.add_command(verify)
