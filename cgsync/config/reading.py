"""Read the files of a configuration: the one that was named, and those that it includes."""

from __future__ import annotations

import errno
import glob
import stat
from dataclasses import dataclass, field
from pathlib import Path

from cgsync.config.files import content
from cgsync.config.findings import BREAKS, Findings
from cgsync.config.nodes import Node, Span
from cgsync.config.yaml import parse

LARGEST = 1024 * 1024
"""bytes of one file"""
INCLUDABLE = ("sources", "lookups")


@dataclass(slots=True)
class Document:
    """All files as one tree. ``open_to_all`` are those that everybody may read."""

    root: Node
    files: list[Path] = field(default_factory=list)
    open_to_all: set[Path] = field(default_factory=set)


def read(path: Path, findings: Findings) -> Document | None:
    """The tree, or ``None`` when the main file cannot be read; mistakes go into ``findings``."""
    document = Document(Node(value={}))
    root = _read(path, document, findings)
    if root is None:
        return None
    if not isinstance(root.value, dict):
        findings.value(root, (), "a configuration is a mapping", help="begin with `customergauge:`")
        return None
    document.root = root
    for file in _included(root, path, findings):
        _include(file, document, findings)
    return document


def _read(path: Path, document: Document, findings: Findings) -> Node | None:
    try:
        found, mode = content(path, limit=LARGEST)
        text = found.decode("utf-8-sig")
    except OSError as error:
        findings.file(path, f"cannot be read: {error.strerror or error}", help=_advice(error))
        return None
    except UnicodeDecodeError as error:
        before = BREAKS.split(found[: error.start].decode("utf-8", "replace"))
        line, column = len(before) - 1, len(before[-1])
        findings.at(Span(file=path, line=line, column=column, end_line=line, end_column=column + 1), (),
                    "is not UTF-8 from here on", help="save the file as UTF-8")  # fmt: skip
        return None
    document.files.append(path)
    if mode & stat.S_IROTH:
        document.open_to_all.add(path)
    return parse(text, path, findings)


def _advice(error: OSError) -> str:
    if error.errno == errno.ENOENT:
        return "name another with `-c FILE`"
    return "run this as root or as the user of the service" if error.errno == errno.EACCES else ""


def _included(root: Node, path: Path, findings: Findings) -> list[Path]:
    """The files that ``include:`` stands for, sorted within each pattern, none twice."""
    node = root.get("include")
    if node is None:
        return []
    patterns = node.value if isinstance(node.value, list) else [node]
    found: dict[Path, None] = {}
    for number, pattern in enumerate(patterns):
        if isinstance(pattern.value, str) and pattern.value:
            files = sorted(Path(each) for each in glob.glob(str(_under(path.parent, pattern.value))))  # noqa: PTH207 - an absolute pattern too
            if not files and not glob.has_magic(pattern.value):
                where = ("include", number) if isinstance(node.value, list) else ("include",)
                findings.value(pattern, where, "there is no such file", help="relative names start at this file")
            found |= dict.fromkeys(files)
    return [file for file in found if not _same(file, path)]


def _under(folder: Path, pattern: str) -> Path:
    """The folder's own name is no pattern, whatever characters it has."""
    return Path(pattern) if Path(pattern).is_absolute() else Path(glob.escape(str(folder))) / pattern


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _include(file: Path, document: Document, findings: Findings) -> None:
    tree = _read(file, document, findings)
    if tree is None:
        return
    if not isinstance(tree.value, dict):
        findings.value(tree, (), "an included file is a mapping", help="begin with `sources:`")
        return
    for section, node in tree.items():
        if section not in INCLUDABLE:
            findings.hide(node.span)
            findings.key(node, (section,), "an included file holds sources and lookups only",
                         help=f"move it to {document.files[0]}")  # fmt: skip
        elif not isinstance(node.value, dict):
            findings.value(node, (section,), "must be a mapping")
        else:
            _merge(section, node, document, findings)


def _merge(section: str, node: Node, document: Document, findings: Findings) -> None:
    """Add what the file has; a name that is there already is a mistake, never an override."""
    there = document.root.get(section)
    if there is not None and not isinstance(there.value, dict):
        return  # a mistake of its own
    members = dict(there.items()) if there else {}
    for name, each in node.items():
        if name not in members:
            members[name] = each
            continue
        first = members[name].key
        assert first is not None
        findings.hide(each.span)
        findings.key(each, (section, name), "is given twice",
                     help=f"first given in {first.file}:{first.line + 1}; rename one of them")  # fmt: skip
    merged = (there or node).with_(value=members)
    document.root = document.root.with_(value={**dict(document.root.items()), section: merged})
