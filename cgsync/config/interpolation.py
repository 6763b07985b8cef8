"""What stands for ``${…}`` is put into parsed values, never into text: a value cannot add a key."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cgsync.config.files import content
from cgsync.config.findings import Findings
from cgsync.config.nodes import Node, Path_
from cgsync.plugins.vocabulary import typed
from cgsync.secrets import SHORTEST, Redactor

LARGEST = 64 * 1024
"""bytes of a file that is put in"""

_REFERENCE = re.compile(r"\$?\$\{([^}]*)(\}?)")
_VARIABLE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)
_CREDENTIAL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


class _Missing(Exception):
    """There is nothing to put in: words and help."""

    def __init__(self, message: str, help_: str = "") -> None:
        super().__init__(message)
        self.help = help_


PLACEHOLDER = "placeholder-"
"""How the word begins that stands for what is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpolator:
    """Replaces the references of one configuration; with ``placeholders``, also by a word for what is not there."""

    environ: Mapping[str, str]
    credentials: Path
    redactor: Redactor
    findings: Findings
    placeholders: bool = False

    def resolve(self, node: Node, path: Path_ = ()) -> Node:
        """The same tree with every reference in it replaced, but for what holds templates or names."""
        if _is_template(path):
            return self._left(node, path)
        if isinstance(node.value, dict):
            return node.with_(value={key: self.resolve(each, (*path, key)) for key, each in node.value.items()})
        if isinstance(node.value, list):
            return node.with_(value=[self.resolve(each, (*path, place)) for place, each in enumerate(node.value)])
        return self._scalar(node, path) if isinstance(node.value, str) and "${" in node.value else node

    def _left(self, node: Node, path: Path_) -> Node:
        """Templates are the record's: say so where somebody seems to have expected otherwise."""
        for step, each in node.children():
            self._left(each, (*path, step))
        if isinstance(node.value, str) and re.search(r"\$\{(file:|credential:|[A-Z][A-Z0-9_]*[:}])", node.value):
            self.findings.value(node, path, "${…} is not replaced here, it stays as it is written", severity="warning")
        return node

    def _scalar(self, node: Node, path: Path_) -> Node:
        assert node.span is not None
        secret = False
        parts, end = [], 0
        for found in _REFERENCE.finditer(node.text):
            parts.append(node.text[end : found.start()])
            end = found.end()
            if found[0].startswith("$$"):
                parts.append(found[0][1:])
                continue
            try:
                value, hidden = self._value(found[1], closed=bool(found[2]), folder=node.span.file.parent)
            except _Missing as missing:
                if self.placeholders and found[2]:
                    parts.append(f"{PLACEHOLDER}{found[1].rpartition(':')[2]}")
                    continue
                self.findings.value(node, path, str(missing), help=missing.help)
                return node.with_(value=None, literal=False, failed=True)
            secret |= hidden
            parts.append(value)
        text = "".join([*parts, node.text[end:]])
        alone = len(parts) == 2 and not parts[0] and end == len(node.text) and not node.text.startswith("$$")
        return node.with_(value=typed(text) if alone else text, text=text, literal=False, secret=secret)

    def _value(self, body: str, *, closed: bool, folder: Path) -> tuple[str, bool]:
        """What stands for the reference, and whether it must be hidden."""
        if not closed:
            raise _Missing("a `${` without its `}`", "write $${ for the two characters themselves")
        if "${" in body:
            raise _Missing("references cannot be nested", "write $${ for the two characters themselves")
        kind, colon, rest = body.partition(":")
        if colon and kind == "file":
            return self._hidden(_content(folder / rest))
        if colon and kind == "credential":
            return self._hidden(self._credential(rest))
        return self._variable(body), False

    def _variable(self, body: str) -> str:
        found = _VARIABLE.fullmatch(body)
        if not found:
            raise _Missing(
                "this ${…} is not understood",
                "${NAME}, ${NAME:-default}, ${file:PATH} or ${credential:NAME}; $${ for the characters themselves",
            )
        name, default = found.groups()
        value = self.environ.get(name, "")
        if name not in self.environ and default is None:
            raise _Missing(f"the environment has no {name}", f"set it, or give a default: ${{{name}:-…}}")
        if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
            raise _Missing(f"the environment's {name} is not UTF-8")
        return value or default or ""

    def _hidden(self, value: str) -> tuple[str, bool]:
        self.redactor.add(value)
        return value, len(value) >= SHORTEST

    def _credential(self, name: str) -> str:
        if not _CREDENTIAL.fullmatch(name):
            raise _Missing("a credential's name has letters, digits, `.`, `_` and `-`")
        tried = list(self._candidates(name))
        for path in tried:
            if os.access(path, os.R_OK):
                return _content(path)
        unseen = "" if self.environ.get("CREDENTIALS_DIRECTORY") else "systemd shows it to the service only; else "
        raise _Missing(f"there is no credential {name} that can be read", f"{unseen}looked for {_list(tried)}")

    def _candidates(self, name: str) -> list[Path]:
        given = self.environ.get("CREDENTIALS_DIRECTORY")
        of_service = [Path(given) / name, Path(given) / f"cgsync_{name}"] if given else []
        return [*of_service, self.credentials / name]


def _is_template(path: Path_) -> bool:
    """``activity:`` and ``when:`` of a source, its ``as:``, and nothing else."""
    return len(path) >= 3 and path[0] == "sources" and path[2] in ("activity", "when", "as")


def _content(path: Path) -> str:
    """The text of a small file, without the line end that editors put behind it."""
    try:
        found, _ = content(path, limit=LARGEST)
        return found.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise _Missing(f"{path} is not UTF-8") from error
    except (OSError, ValueError) as error:  # a path with a NUL is a ValueError
        raise _Missing(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _list(paths: list[Path]) -> str:
    return " and ".join(map(str, paths))
