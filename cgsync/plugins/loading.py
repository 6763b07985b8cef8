"""Load plugins, each in its own try: a broken one harms itself alone."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from cgsync.api import PROJECT, Hooks, SourceType
from cgsync.errors import PluginError, not_the_machine
from cgsync.plugins import folder, soundness

GROUP = "cgsync.sources"


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledPlugin:
    """An entry point of the group ``cgsync.sources``."""

    name: str
    distribution: str
    version: str
    module: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenPlugin:
    """A plugin that cannot be used. ``reason`` is one line, ``traceback`` is for its author (may be empty)."""

    name: str
    distribution: str
    version: str
    reason: str
    traceback: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginTable:
    """Source types by name, and why the others that were asked for cannot be used."""

    types: Mapping[str, SourceType] = field(default_factory=dict)
    broken: Mapping[str, BrokenPlugin] = field(default_factory=dict)


def installed() -> list[InstalledPlugin]:
    """Every installed plugin, sorted by name; none is imported."""
    return sorted((_described(point) for point in entry_points(group=GROUP)), key=lambda plugin: plugin.name)


def names(plugin_dir: Path | None = None) -> list[str]:
    """The names of all plugins that could be loaded, sorted; none is imported."""
    return sorted({point.name for point in entry_points(group=GROUP)} | set(folder.names(plugin_dir)))


def load(names: Iterable[str], plugin_dir: Path | None = None) -> PluginTable:
    """Load the plugins of these names and no other; raises :class:`MachineLacks` and nothing else."""
    types: dict[str, SourceType] = {}
    broken: dict[str, BrokenPlugin] = {}
    for name in dict.fromkeys(names):
        match _load(name, plugin_dir):
            case SourceType() as kind:
                types[name] = kind
            case BrokenPlugin() as why:
                broken[name] = why
    return PluginTable(types=types, broken=broken)


def _described(point: EntryPoint) -> InstalledPlugin:
    name, version = (point.dist.name, point.dist.version) if point.dist else ("", "")
    return InstalledPlugin(name=point.name, distribution=name, version=version, module=point.value)


def _load(name: str, plugin_dir: Path | None) -> SourceType | BrokenPlugin:
    points = list(entry_points(group=GROUP, name=name))
    whence = _described(points[0]) if points else InstalledPlugin(name=name, distribution="", version="", module="")
    try:
        return _type(name, _code(name, points, plugin_dir))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a stranger's import may raise anything, SystemExit too
        not_the_machine(error, f"the plugin {name}")
        return _broken(whence, error)


def _code(name: str, points: Sequence[EntryPoint], plugin_dir: Path | None) -> Any:
    """The module or object that bears the hook."""
    file = folder.find(name, plugin_dir)
    offers = [f"{_described(point).distribution} ({point.value})" for point in points] + ([str(file)] if file else [])
    if not offers:
        raise PluginError("is not installed", hint="see `cgsync plugin list`")
    if len(offers) > 1:
        raise PluginError(f"is offered more than once: {', '.join(offers)}", hint="remove all but one")
    return folder.execute(file) if file else points[0].load()


def _type(name: str, code: Any) -> SourceType:
    kinds = _ask(code)
    seen = Counter(kind.name for kind in kinds)
    if twice := [each for each, count in seen.items() if count > 1]:
        raise PluginError(f"gives the source type {twice[0]!r} twice")
    if name not in seen:
        raise PluginError(f"gives no source type {name!r}, only {', '.join(map(repr, seen)) or 'none at all'}")
    kind = next(kind for kind in kinds if kind.name == name)
    soundness.check(kind)
    return kind


def _ask(code: Any) -> Sequence[SourceType]:
    """Call the hook; pluggy checks its arguments, what it returned is for us to check."""
    import pluggy

    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(Hooks)
    manager.register(code)
    answers = manager.hook.cgsync_source_types()
    if not answers:
        raise PluginError("has no hook `cgsync_source_types`", hint="mark a function of that name with cgsync.api.hook")
    (kinds,) = answers
    if not isinstance(kinds, Sequence) or not all(isinstance(kind, SourceType) for kind in kinds):
        raise PluginError(f"cgsync_source_types() must return a sequence of SourceType, not {kinds!r:.80}")
    return kinds


def _broken(plugin: InstalledPlugin, error: BaseException) -> BrokenPlugin:
    known = isinstance(error, PluginError)
    return BrokenPlugin(
        name=plugin.name,
        distribution=plugin.distribution,
        version=plugin.version,
        reason=str(error) if known else f"{type(error).__name__}: {error}",
        traceback="" if known else "".join(traceback.format_exception(error)),
    )
