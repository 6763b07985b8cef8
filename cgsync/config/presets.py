"""``preset:`` and ``with:`` of a source: what a plugin knows already is laid under what the user wrote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cgsync.api import SourceType
from cgsync.config.findings import Findings, meant
from cgsync.config.guide import Guide, Schema
from cgsync.config.merging import laid_over
from cgsync.config.nodes import Node, Path_
from cgsync.config.words import judge
from cgsync.config.yaml import parse
from cgsync.errors import PluginError
from cgsync.plugins import PluginTable
from cgsync.plugins.presets import MODE, REFERENCE, Preset, read

KEYS = ("preset", "with")


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """A source with all that its preset knows. ``digest`` changes with the preset's text; empty: it has none."""

    node: Node
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Presets:
    """Those of all plugins that are installed; ``core`` is the schema of a source without its plugin."""

    table: PluginTable
    core: Schema
    findings: Findings

    def complete(self, node: Node, path: Path_) -> Completed | None:
        """The source with its preset laid under it; ``None`` when that cannot be done, which is a finding then."""
        preset = self._preset(node, path)
        if preset is None:
            return None
        given = self._given(node, preset, path)
        if given is None:
            return None
        kind = self.table.types[preset.plugin]
        under = self._filled(preset, given, node.at(("preset",)), kind)
        own = node.with_(value={key: each for key, each in node.items() if key not in KEYS})
        members = {"preset": node.at(("preset",)), "with": given, **dict(self._laid(own, under, kind).items())}
        return Completed(node=node.with_(value=members), digest=preset.digest)

    def _laid(self, own: Node, under: Node, kind: SourceType) -> Node:
        """One source over another: the core's options by the core's schema, the plugin's by its own."""
        options = laid_over(own.get(kind.name), under.get(kind.name), kind.options_schema)
        core = laid_over(_without(own, kind.name), _without(under, kind.name), self.core)
        members = dict(core.items()) if core else {}
        return own.with_(value=members | ({kind.name: options} if options else {}))

    def _preset(self, node: Node, path: Path_) -> Preset | None:
        named = node.at(("preset",))
        if not isinstance(named.value, str) or not named.value:
            if not named.failed:
                self.findings.value(named, (*path, "preset"), "must be the name of a preset", help=self._known())
            return None
        plugin, _, name = named.value.rpartition("/")
        offers = [each for each, kind in self.table.types.items() if name in kind.presets and plugin in ("", each)]
        offers = [each for each in offers if each in node] or offers
        if len(offers) != 1:
            self._refuse(named, path, name, offers)
            return None
        try:
            return read(self.table.types[offers[0]], name)
        except PluginError as error:
            words = f"preset {name} of plugin {offers[0]} is broken: {error.message}"
            self.findings.value(named, (*path, "preset"), words, help="this is a mistake of the plugin")
            return None

    def _refuse(self, named: Node, path: Path_, name: str, offers: list[str]) -> None:
        if offers:
            choice = " or ".join(f"{plugin}/{name}" for plugin in offers)
            self.findings.value(named, (*path, "preset"), "several plugins have a preset of that name", help=choice)
            return
        known = [each for kind in self.table.types.values() for each in kind.presets]
        close = meant(name, known)
        asked = f', did you mean "{close}"?' if close else ""
        self.findings.value(named, (*path, "preset"), f"there is no such preset{asked}", help=self._known())

    def _known(self) -> str:
        names = sorted(name for kind in self.table.types.values() for name in kind.presets)
        broken = [f"plugin {name} is broken: {each.reason}" for name, each in self.table.broken.items()]
        return "; ".join(
            [f"there are: {', '.join(names)}" if names else "no plugin that is installed has any", *broken]
        )

    def _given(self, node: Node, preset: Preset, path: Path_) -> Node | None:
        """``with:``, judged by what the preset says of it; ``None`` when it has mistakes."""
        named = node.at(("preset",))
        given = node.get("with") or Node(value={}, span=named.span, key=named.key)
        if given.value is None and not given.failed:
            given = given.with_(value={})
        before = self.findings.errors
        settled = Guide(root=preset.given).settle(given)
        judge(settled, preset.given, (*path, "with"), self.findings)
        failed = any(each.failed for _, each in settled.items())
        return None if failed or self.findings.errors > before else settled

    def _filled(self, preset: Preset, given: Node, named: Node, kind: SourceType) -> Node:
        """The preset's source with its mode and with what was given, as if all of it stood at ``preset:``."""
        origin = f"preset {preset.name}"
        root = parse(preset.text, Path(origin), Findings())
        assert root is not None, "it was read before"
        filling = _Filling(given=dict(given.items()), place=named, origin=origin)
        source = filling.fill(root.at(("source",)))
        modes = root.get("modes") or Node(value={})
        mode = modes.get(str(given.at((MODE,)).value))
        return self._laid(filling.fill(mode), source, kind) if mode else source


def _without(node: Node, key: str) -> Node:
    return node.with_(value={name: each for name, each in node.items() if name != key})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Filling:
    """Puts what was given into a preset."""

    given: Mapping[str, Node]
    place: Node
    origin: str

    def fill(self, node: Node) -> Node:
        """The node with every ``${with.NAME}`` replaced; an option that is one which was not given is left out."""
        if isinstance(node.value, dict):
            return self._ours(node, {key: self.fill(each) for key, each in node.value.items() if not self._lacks(each)})
        if isinstance(node.value, list):
            return self._ours(node, [self.fill(each) for each in node.value if not self._lacks(each)])
        if not isinstance(node.value, str) or "${" not in node.value:
            return self._ours(node, node.value)
        name = _alone(node)
        return self._placed(self.given[name]) if name else self._within(node)

    def _lacks(self, node: Node) -> bool:
        name = _alone(node)
        return bool(name) and name not in self.given

    def _placed(self, given: Node) -> Node:
        """What the user gave stays theirs; what ``with`` says by default is the preset's."""
        value = given.value
        if isinstance(value, dict):
            value = {key: self._placed(each) for key, each in value.items()}
        elif isinstance(value, list):
            value = [self._placed(each) for each in value]
        return given.with_(value=value, key=self.place.key) if given.span else self._ours(given, value)

    def _within(self, node: Node) -> Node:
        used = [self.given[found[1]] for found in REFERENCE.finditer(node.text) if found[1] in self.given]
        text = REFERENCE.sub(lambda found: found[0][1:] if found[0][1] == "$" else self.given[found[1]].text, node.text)
        made = self._ours(node, text)
        return made.with_(text=text, literal=False, secret=any(each.secret for each in used))

    def _ours(self, node: Node, value: object) -> Node:
        return node.with_(value=value, span=self.place.span, key=self.place.key, origin=self.origin)


def _alone(node: Node) -> str:
    """The name in a value that is one ``${with.NAME}`` and nothing else; else empty."""
    found = REFERENCE.fullmatch(node.value) if isinstance(node.value, str) else None
    return found[1] or "" if found and not found[0].startswith("$$") else ""
