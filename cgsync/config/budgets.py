"""``budgets:``: rates by name that sources share, and whether each one that is named is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cgsync.config.checking import Checked
from cgsync.config.findings import Findings, meant
from cgsync.config.nodes import Node, Path_
from cgsync.config.receiver import is_zero
from cgsync.config.values import rate
from cgsync.config.words import walk

SECTION = "budgets"


def check(root: Node, checked: Checked, findings: Findings) -> None:
    """What no schema can say. A plugin with a budget has it as ``rate_limit: { budget: NAME }``."""
    known = [name for name, _ in root.at((SECTION,)).items()]
    for name, node in root.at((SECTION,)).items():
        if is_zero(node):
            findings.value(node, (SECTION, name), "must be more than 0")
    for path, node in _named(checked):
        if node.value not in known and not node.failed:
            close = meant(str(node.value), known)
            asked = f', did you mean "{close}"?' if close else ""
            help_ = f"declare it at the top: budgets: {{ {node.value}: 50/m }}"
            findings.value(node, path, f"there is no such budget{asked}", help="" if close else help_)


def assemble(root: Node) -> Mapping[str, float]:
    """Requests a second by name, once there are no mistakes."""
    return {name: rate(str(node.value)) for name, node in root.at((SECTION,)).items()}


def _named(checked: Checked) -> Iterator[tuple[Path_, Node]]:
    for name, source in checked.sources.items():
        for path, node in walk(source.options):
            if path[-2:] == ("rate_limit", "budget") and isinstance(node.value, str):
                yield ("sources", name, source.plugin, *path), node
