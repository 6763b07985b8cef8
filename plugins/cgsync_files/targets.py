"""Where a file goes afterwards: a template of a path, filled in once, so that trying again hits the same place."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import PurePosixPath

PLACEHOLDER = re.compile(r"%[YmdHMSj%]|\{name\}|\{stem\}")


def target(template: str, path: str, now: datetime) -> str:
    """The place for the file at ``path``. A template that names no file is a folder, and folders below it are kept."""
    original = PurePosixPath(path)

    def fill(match: re.Match[str]) -> str:
        sign = match.group()
        if sign.startswith("%"):
            return now.strftime(sign)
        return original.name if sign == "{name}" else original.stem

    filled = PLACEHOLDER.sub(fill, template)
    return filled if re.search(r"\{(name|stem)\}", template) else str(PurePosixPath(filled) / original)


def numbered(name: str, count: int) -> str:
    """The name to take when the first ``count`` ones are taken: ``orders.csv``, ``orders.1.csv``, …"""
    original = PurePosixPath(name)
    return f"{original.stem}.{count}{original.suffix}" if count else name
