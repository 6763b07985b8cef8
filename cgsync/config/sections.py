"""The small sections: folders, lookups, the contract of one's own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cgsync.config.findings import Findings
from cgsync.config.nodes import Node, plain
from cgsync.config.places import resolved
from cgsync.config.settings import BackupConfig, LookupConfig
from cgsync.config.values import value
from cgsync.errors import ConfigError, SourceMisconfigured, not_the_machine

if TYPE_CHECKING:
    from cgsync.contract import Contract
    from cgsync.lookups import LookupTable


def folder(root: Node, name: str, environ: Mapping[str, str]) -> Path | None:
    """The path under that key, absolute; ``None`` when there is none."""
    node = root.get(name)
    return _path(node, environ) if node else None


def lookups(root: Node, findings: Findings, environ: Mapping[str, str]) -> dict[str, LookupConfig]:
    """Every lookup whose file is there; one that is not is a finding."""
    found: dict[str, LookupConfig] = {}
    section = root.get("lookups")
    for name, node in section.items() if section else ():
        file, key, value = (node.get(part) for part in ("file", "key", "value"))
        path = _path(file, environ) if file else None
        if file is None or path is None:
            continue
        if not path.is_file():
            findings.value(file, ("lookups", name, "file"), f"there is no file {path}")
        found[name] = LookupConfig(name=name, file=path, key=_text(key), value=_text(value))
    return found


def tables(lookups: Mapping[str, LookupConfig], root: Node, findings: Findings) -> dict[str, LookupTable]:
    """The tables themselves; one that cannot be read is a finding, as no record would pass it."""
    if not lookups:
        return {}
    from cgsync.lookups import LookupTable

    made = {name: LookupTable(each.file, each.key, each.value) for name, each in lookups.items()}
    for name, table in made.items():
        path = ("lookups", name, "file")
        misspelt = any(findings.is_meant(path[:-1], column) for column in ("key", "value"))
        if misspelt or not lookups[name].file.is_file():
            continue  # found before
        try:
            table.get("")
        except SourceMisconfigured as error:
            if error.__cause__:
                not_the_machine(error.__cause__, str(lookups[name].file))
            findings.value(root.at(path), path, f"is no table: {table.problem}")
    return made


def overlay(root: Node, findings: Findings, environ: Mapping[str, str]) -> Mapping[str, Any] | None:
    """The schema of one's own rules, or ``None``; one that cannot be used is a finding."""
    node = root.get("contract")
    if node is None or not isinstance(node.value, dict):
        return None
    file = node.get("schema")
    if file and any(key != "schema" for key, _ in node.items()):
        findings.key(file, ("contract", "schema"), "stands beside lists that it replaces",
                     help="either schema, or types and accounts")  # fmt: skip
        return None
    schema = _from_file(file, findings, environ) if file else _from_lists(node)
    if schema is None:
        return None
    _compile(schema, file or node, findings, ("contract", "schema") if file else ("contract",))
    return schema


def backup(root: Node, state_dir: Path, environ: Mapping[str, str]) -> BackupConfig | None:
    """How the ledger is copied, or ``None`` when it is not."""
    node = root.at(("backup",))
    given = value(node)
    if not given["keep"]:
        return None
    place = _path(node.get("folder"), environ) or state_dir / "backups"
    return BackupConfig(folder=place, every=given["every"], keep=given["keep"])


def _from_lists(node: Node) -> Mapping[str, Any] | None:
    from cgsync.contract import overlay_from

    lists = plain(node)
    if not all(isinstance(each, list) and all(isinstance(one, str) for one in each) for each in lists.values()):
        return None  # the schema has said so
    return overlay_from(lists.get("types"), lists.get("accounts"))


def _from_file(node: Node, findings: Findings, environ: Mapping[str, str]) -> Mapping[str, Any] | None:
    path = _path(node, environ)
    if path is None:
        return None
    try:
        schema: Any = json.loads(path.read_bytes())
    except OSError as error:
        not_the_machine(error, str(path))
        findings.value(node, ("contract", "schema"), f"{path} cannot be read: {error.strerror}")
        return None
    except ValueError as error:
        findings.value(node, ("contract", "schema"), f"{path} is not JSON: {error}")
        return None
    if not isinstance(schema, dict):
        findings.value(node, ("contract", "schema"), f"{path} is not a JSON Schema of an object")
        return None
    return dict(schema)


def contract(overlay: Mapping[str, Any] | None) -> Contract | None:
    """The contract with one's own rules, or ``None`` when those cannot be used, which is a finding already."""
    from cgsync.contract import Contract

    try:
        return Contract(overlay)
    except ConfigError:
        return None


def _compile(schema: Mapping[str, Any], node: Node, findings: Findings, path: tuple[str, ...]) -> None:
    from cgsync.contract import Contract

    try:
        Contract(schema)
    except ConfigError as error:
        findings.value(node, path, error.message, help=error.hint)


def _path(node: Node | None, environ: Mapping[str, str]) -> Path | None:
    if node is None or node.span is None or not isinstance(node.value, str) or not node.value:
        return None
    return resolved(node.value, node.span.file.parent, environ)


def _text(node: Node | None) -> str | None:
    return str(node.value) if node and isinstance(node.value, str) else None
