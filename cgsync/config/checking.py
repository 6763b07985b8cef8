"""Judge the tree by the schemas: the core's for what is the core's, a plugin's for its options."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from cgsync import plugins
from cgsync.config.findings import Findings, meant
from cgsync.config.guide import Guide, Schema
from cgsync.config.nodes import Node, Path_
from cgsync.config.presets import Completed, Presets
from cgsync.config.schema import of_source, without_sources
from cgsync.config.words import judge, walk
from cgsync.plugins import BrokenPlugin, PluginTable
from cgsync.plugins.soundness import core_schema
from cgsync.secrets import Redactor


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedSource:
    """A source whose plugin is there. ``sound``: the schemas found no mistake in it; ``preset``: its digest."""

    node: Node
    plugin: str
    sound: bool
    preset: str = ""

    @property
    def options(self) -> Node:
        return self.node.at((self.plugin,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The settled tree, and what is known of each source; ``whole`` are those that no preset is missing of."""

    root: Node
    whole: Mapping[str, Node] = field(default_factory=dict)
    table: PluginTable
    sources: Mapping[str, CheckedSource]
    broken: Mapping[str, BrokenPlugin] = field(default_factory=dict)


def check(root: Node, findings: Findings, redactor: Redactor, *, plugin_dir: Path | None) -> Checked:
    """Settle and judge everything; mistakes go into ``findings``, secrets into ``redactor``."""
    schema = core_schema()
    rest = _judged(root, without_sources(schema), (), findings)
    checking = _Sources(of_source(schema), findings, plugins.names(plugin_dir), plugin_dir)
    checked = checking.check(dict(rest.at(("sources",)).items()) if "sources" in rest else {})
    members = dict(rest.items())
    if "sources" in members and isinstance(members["sources"].value, dict):
        members["sources"] = members["sources"].with_(value=dict(checked.whole))
    root = rest.with_(value=members)
    _keep_secret(root, findings, redactor)
    return replace(checked, root=root)


class _Sources:
    """Judges the sources, each by the core's schema and by that of its plugin."""

    def __init__(self, schema: Schema, findings: Findings, known: Iterable[str], plugin_dir: Path | None) -> None:
        self._schema = schema
        self._findings = findings
        self._core = tuple(schema["properties"])
        self._known = tuple(known)
        self._plugin_dir = plugin_dir

    def check(self, sources: Mapping[str, Node]) -> Checked:
        preset = {name: node for name, node in sources.items() if "preset" in node}
        table = plugins.load(self._known, self._plugin_dir) if preset else PluginTable()
        presets = Presets(table=table, core=self._schema, findings=self._findings)
        completed = {name: presets.complete(node, ("sources", name)) for name, node in preset.items()}
        whole = {name: completed.get(name) or Completed(node=node) for name, node in sources.items()}
        for name in [name for name, each in completed.items() if each is None]:
            self._check_incomplete(name, whole.pop(name).node)
        return self._check_whole(whole, table)

    def _check_incomplete(self, name: str, node: Node) -> None:
        """Without its preset a source lacks what would have filled it in; what is there is judged all the same."""
        self._hide_options(node)
        self._plugins_named(name, node)
        own = node.with_(value={key: each for key, each in node.items() if key in self._core})
        _judged(own, {**self._schema, "required": []}, ("sources", name), self._findings)

    def _check_whole(self, sources: Mapping[str, Completed], table: PluginTable) -> Checked:
        named = {name: plugin for name, each in sources.items() if (plugin := self._plugin(name, each.node))}
        if missing := set(named.values()) - table.types.keys() - table.broken.keys():
            loaded = plugins.load(sorted(missing), self._plugin_dir)
            table = PluginTable(types={**table.types, **loaded.types}, broken={**table.broken, **loaded.broken})
        checked: dict[str, CheckedSource] = {}
        for name, completed in sources.items():
            if not isinstance(completed.node.value, dict):
                words, help_ = "must be a mapping", "name a plugin and an activity"
                self._findings.value(completed.node, ("sources", name), words, help=help_)
                continue
            found = self._source(name, completed, named.get(name, ""), table)
            if named.get(name) in table.types:
                checked[name] = found
            else:
                self._hide_options(completed.node)
        broken = {name: table.broken[plugin] for name, plugin in named.items() if plugin in table.broken}
        whole = {name: each.node for name, each in sources.items()} | {
            name: each.node for name, each in checked.items()
        }
        return Checked(root=Node(value={}), whole=whole, table=table, sources=checked, broken=broken)

    def _hide_options(self, node: Node) -> None:
        """Without its schema nobody knows what is secret in it."""
        for key, each in node.items():
            if key not in self._core:
                self._findings.hide(each.span)

    def _plugin(self, name: str, node: Node) -> str:
        """The one plugin that the source names; empty when there is none, with a finding."""
        found = self._plugins_named(name, node)
        for key in found[1:]:
            second = node.at((key,))
            words = f"a source has one plugin, and this one has {found[0]} already"
            self._findings.key(second, ("sources", name, key), words, help="make two sources of it")
        others = [key for key, _ in node.items() if key not in self._core]
        misnamed = any(not meant(key, self._core) for key in others)
        if not found and not misnamed and isinstance(node.value, dict):
            words, help_ = "does not say which plugin reads it", f"name one as a key: {', '.join(self._known)}"
            self._findings.key(node, ("sources", name), words, help=help_)
        return found[0] if found else ""

    def _plugins_named(self, name: str, node: Node) -> list[str]:
        """All plugins that the source names; what is neither one nor an option is a finding."""
        others = [key for key, _ in node.items() if key not in self._core]
        found = [key for key in others if key in self._known]
        for key in others:
            if key not in found:
                self._unknown(node, key, ("sources", name, key), found)
        return found

    def _unknown(self, node: Node, key: str, path: Path_, found: list[str]) -> None:
        """Neither an option nor a plugin that is installed."""
        installed = ", ".join(self._known) or "none"
        self._findings.unknown(
            node.at((key,)),
            path,
            [*self._core, *(() if found else self._known)],
            node,
            words="unknown option" if found else "unknown option, and no plugin of that name is installed",
            help=f"options: {', '.join(self._core)}; plugins installed: {installed}",
        )

    def _source(self, name: str, completed: Completed, plugin: str, table: PluginTable) -> CheckedSource:
        before = self._findings.errors
        path, node = ("sources", name), completed.node
        own = node.with_(value={key: each for key, each in node.items() if key in self._core})
        settled = _judged(own, self._schema, path, self._findings)
        members = dict(settled.items())
        if given := node.get("with"):
            members["with"] = given  # settled by what the preset says of it, which is more than the core knows
            if not completed.digest:
                self._findings.key(given, (*path, "with"), "stands without a preset that asks for it")
        if plugin in table.types:
            options = node.at((plugin,))
            if options.value is None and not options.failed:
                options = options.with_(value={})  # `files:` with nothing behind it
            members[plugin] = _judged(options, table.types[plugin].options_schema, (*path, plugin), self._findings)
        sound = self._findings.errors == before
        return CheckedSource(node=settled.with_(value=members), plugin=plugin, sound=sound, preset=completed.digest)


def _judged(node: Node, schema: Schema, path: Path_, findings: Findings) -> Node:
    settled = Guide(root=schema).settle(node)
    judge(settled, schema, path, findings)
    return settled


def _keep_secret(root: Node, findings: Findings, redactor: Redactor) -> None:
    """Nothing that the schema calls secret is shown in a line or written to a log."""
    for _, node in walk(root):
        if node.kind == "secret":
            if node.spelled_out:
                findings.hide(node.span)
            for _, each in walk(node):
                if each.text and not (each.origin and each.literal):  # a preset's own words are no secret
                    redactor.add(each.text)
