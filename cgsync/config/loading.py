"""Load a configuration: read, replace ``${…}``, judge by the schemas, look at what they cannot say, assemble."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cgsync.config import budgets, receiver, sections, sources, web
from cgsync.config.checking import Checked, check
from cgsync.config.diagnostics import ConfigInvalid
from cgsync.config.findings import Findings
from cgsync.config.interpolation import Interpolator
from cgsync.config.nodes import Node, Span, filled_in
from cgsync.config.places import Places, credential_folder, default_runtime, default_state
from cgsync.config.reading import Document, read
from cgsync.config.settings import LEARNED, Config, LogConfig, RetentionConfig
from cgsync.config.showing import ShownValue, shown
from cgsync.config.values import value
from cgsync.config.words import walk
from cgsync.secrets import Redactor

PLACES = ("state_dir", "runtime_dir", "plugin_dir")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loaded:
    config: Config
    root: Node


def load(
    path: Path,
    *,
    environ: Mapping[str, str] = os.environ,
    redactor: Redactor | None = None,
    placeholders: bool = False,
) -> Config:
    """The configuration; raises :class:`ConfigInvalid` with all mistakes.

    ``placeholders``: a credential, a file or a variable that is not there is no mistake: a word stands for it.
    """
    return _load(path, environ, redactor or Redactor(), placeholders=placeholders).config


def show(path: Path, *, environ: Mapping[str, str] = os.environ) -> Sequence[ShownValue]:
    """Every value in force, and where it came from; raises :class:`ConfigInvalid`."""
    return list(shown(_load(path, environ, Redactor()).root))


def locate(path: Path, *, environ: Mapping[str, str] = os.environ) -> Places:
    """The folders alone: no secret is read, and a configuration with mistakes will do.

    A command finds the daemon by it, and that must work most of all when the configuration has just been broken.
    """
    findings = Findings()
    document = read(path, findings)
    root = document.root if document else _glimpse(path)
    members = {key: node for key, node in root.items() if key in PLACES}
    return _places(_interpolated(root.with_(value=members), path, environ, findings, Redactor()), path, environ)


def _load(path: Path, environ: Mapping[str, str], redactor: Redactor, *, placeholders: bool = False) -> _Loaded:
    findings = Findings()
    document = read(path, findings)
    if document is None:
        raise ConfigInvalid(findings.diagnostics("error"))
    root = _interpolated(document.root, path, environ, findings, redactor, placeholders=placeholders)
    plugin_dir = sections.folder(root, "plugin_dir", environ)
    checked = check(root, findings, redactor, plugin_dir=plugin_dir)
    _refuse_open_secrets(checked.root, document, findings)
    config = _assembled(path, document, checked, findings, environ, plugin_dir)
    if config is None or findings.errors:
        raise ConfigInvalid(findings.diagnostics("error"))
    return _Loaded(config=config, root=_complete(checked.root, config))


def _interpolated(
    root: Node,
    path: Path,
    environ: Mapping[str, str],
    findings: Findings,
    redactor: Redactor,
    *,
    placeholders: bool = False,
) -> Node:
    return Interpolator(
        environ=environ,
        credentials=credential_folder(path.absolute()),
        redactor=redactor,
        findings=findings,
        placeholders=placeholders,
    ).resolve(root)


def _assembled(
    path: Path,
    document: Document,
    checked: Checked,
    findings: Findings,
    environ: Mapping[str, str],
    plugin_dir: Path | None,
) -> Config | None:
    """The configuration as a value, or ``None`` once there are findings; all of it is looked at in any case."""
    root = checked.root
    own = root.get(receiver.SECTION)
    if own and isinstance(own.value, dict):
        receiver.check(own, findings, environ)
    lookups = sections.lookups(root, findings, environ)
    overlay = sections.overlay(root, findings, environ)
    web.check(root, findings)
    budgets.check(root, checked, findings)
    freshness = root.get("freshness")
    if freshness:
        sources.check_length(freshness, ("freshness",), findings)
    shared = sources.Shared(
        findings=findings,
        lookups=lookups,
        tables=sections.tables(lookups, root, findings),
        timestamps="offset" if root.at((receiver.SECTION, "timestamps")).value == "offset" else "utc",
        plugin_dir=plugin_dir,
        contract=sections.contract(overlay),
        limits=root.get("limits"),
        freshness=sources.wanted(freshness) if freshness else LEARNED,
    )
    made = sources.assemble(checked, shared)
    sources.check_apart(checked, shared)
    if findings.errors or own is None:
        return None
    places = _places(root, path, environ)
    return Config(
        path=path,
        files=tuple(document.files),
        receiver=receiver.assemble(own, environ),
        state_dir=places.state_dir,
        runtime_dir=places.runtime_dir,
        lookups=lookups,
        sources=made,
        broken=checked.broken,
        overlay=overlay,
        budgets=budgets.assemble(root),
        log=LogConfig(**value(root.at(("log",)))),
        plugin_dir=plugin_dir,
        retry_refused=value(root.at(("retry_refused",))),
        retention=RetentionConfig(**value(root.at(("retention",)))),
        disk_reserve=value(root.at(("disk_reserve",))),
        backup=sections.backup(root, places.state_dir, environ),
        web=web.assemble(root),
        warnings=findings.diagnostics("warning"),
    )


def _places(root: Node, path: Path, environ: Mapping[str, str]) -> Places:
    state = sections.folder(root, "state_dir", environ) or default_state(path.absolute(), environ)
    runtime = sections.folder(root, "runtime_dir", environ) or default_runtime(path.absolute(), environ)
    plugin_dir = sections.folder(root, "plugin_dir", environ)
    return Places(state_dir=state, runtime_dir=runtime or state, plugin_dir=plugin_dir)


def _refuse_open_secrets(root: Node, document: Document, findings: Findings) -> None:
    """A secret that is written out belongs into a file that not everybody may read."""
    for path, node in walk(root):
        if node.kind == "secret" and node.span and node.spelled_out and node.span.file in document.open_to_all:
            findings.value(
                node,
                path,
                "is a secret in a file that everybody may read",
                help=f"chmod o-r {node.span.file}, or use ${{credential:NAME}} or ${{file:PATH}}",
            )


def _glimpse(path: Path) -> Node:
    """Top-level folders by the look of their lines, from a file that does not parse."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return Node(value={})
    members: dict[str, Node] = {}
    for name, written in re.findall(rf"^({'|'.join(PLACES)}):[ \t]+([^\s#][^\n#]*)", text, re.MULTILINE):
        bare = written.strip().strip("\"'")
        span = Span(file=path, line=0, column=0, end_line=0, end_column=0)
        members[name] = filled_in(bare).with_(span=span)
    return Node(value=members)


def _complete(root: Node, config: Config) -> Node:
    """With what is computed rather than written, for showing."""
    known = dict(root.items())
    for name, folder in (("state_dir", config.state_dir), ("runtime_dir", config.runtime_dir)):
        known.setdefault(name, filled_in(str(folder)))
    own = dict(known[receiver.SECTION].items())
    for name, address in (("url", config.receiver.url), ("token_url", config.receiver.token_url)):
        own.setdefault(name, filled_in(address))
    return root.with_(value={**known, receiver.SECTION: known[receiver.SECTION].with_(value=own)})
