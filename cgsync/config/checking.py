"""Judge the tree by the schemas: the core's for what is the core's, a plugin's for its options."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from cgsync import plugins
from cgsync.config.findings import Findings, meant
from cgsync.config.guide import Guide, Schema
from cgsync.config.nodes import Node, Path_
from cgsync.config.schema import core, of_source, without_sources
from cgsync.config.words import judge, walk
from cgsync.plugins import BrokenPlugin, PluginTable
from cgsync.secrets import Redactor


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedSource:
    """A source whose plugin is there. ``sound``: the schemas found no mistake in it."""

    node: Node
    plugin: str
    sound: bool

    @property
    def options(self) -> Node:
        return self.node.at((self.plugin,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The settled tree, and what is known of each source."""

    root: Node
    table: PluginTable
    sources: Mapping[str, CheckedSource]
    broken: Mapping[str, BrokenPlugin] = field(default_factory=dict)


def check(root: Node, findings: Findings, redactor: Redactor, *, plugin_dir: Path | None) -> Checked:
    """Settle and judge everything; mistakes go into ``findings``, secrets into ``redactor``."""
    schema = core()
    rest = _judged(root, without_sources(schema), (), findings)
    checking = _Sources(of_source(schema), findings, plugins.names(plugin_dir), plugin_dir)
    checked = checking.check(dict(rest.at(("sources",)).items()) if "sources" in rest else {})
    members = dict(rest.items())
    if "sources" in members and isinstance(members["sources"].value, dict):
        judged = {name: each.node for name, each in checked.sources.items()}
        members["sources"] = members["sources"].with_(value={**members["sources"].value, **judged})
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
        named = {name: plugin for name, node in sources.items() if (plugin := self._plugin(name, node))}
        table = plugins.load(named.values(), self._plugin_dir)
        checked: dict[str, CheckedSource] = {}
        for name, node in sources.items():
            if not isinstance(node.value, dict):
                self._findings.value(node, ("sources", name), "must be a mapping", help="name a plugin and an activity")
                continue
            found = self._source(name, node, named.get(name, ""), table)
            if named.get(name) in table.types:
                checked[name] = found
            else:
                self._hide_options(node)
        broken = {name: table.broken[plugin] for name, plugin in named.items() if plugin in table.broken}
        return Checked(root=Node(value={}), table=table, sources=checked, broken=broken)

    def _hide_options(self, node: Node) -> None:
        """Without its schema nobody knows what is secret in it."""
        for key, each in node.items():
            if key not in self._core:
                self._findings.hide(each.span)

    def _plugin(self, name: str, node: Node) -> str:
        """The one plugin that the source names; empty when there is none, with a finding."""
        others = [key for key, _ in node.items() if key not in self._core]
        found = [key for key in others if key in self._known]
        for key in others:
            if key not in found:
                self._unknown(node, key, ("sources", name, key), found)
        for key in found[1:]:
            second = node.at((key,))
            words = f"a source has one plugin, and this one has {found[0]} already"
            self._findings.key(second, ("sources", name, key), words, help="make two sources of it")
        misnamed = any(not meant(key, self._core) for key in others)
        if not found and not misnamed and isinstance(node.value, dict):
            words, help_ = "does not say which plugin reads it", f"name one as a key: {', '.join(self._known)}"
            self._findings.key(node, ("sources", name), words, help=help_)
        return found[0] if found else ""

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

    def _source(self, name: str, node: Node, plugin: str, table: PluginTable) -> CheckedSource:
        before = self._findings.errors
        path = ("sources", name)
        own = node.with_(value={key: each for key, each in node.items() if key in self._core})
        settled = _judged(own, self._schema, path, self._findings)
        members = dict(settled.items())
        if plugin in table.types:
            options = node.at((plugin,))
            if options.value is None and not options.failed:
                options = options.with_(value={})  # `files:` with nothing behind it
            members[plugin] = _judged(options, table.types[plugin].options_schema, (*path, plugin), self._findings)
        return CheckedSource(node=settled.with_(value=members), plugin=plugin, sound=self._findings.errors == before)


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
                if each.text:
                    redactor.add(each.text)
