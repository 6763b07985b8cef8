"""Where tests lie: ``tests/SOURCE/NAME/`` with ``cassette.json`` or ``records.json``, and ``expected.json``."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from cgsync.api import Window
from cgsync.errors import ControlError

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test of one source."""

    source: str
    name: str
    folder: Path

    @property
    def cassette(self) -> Path:
        return self.folder / "cassette.json"

    @property
    def records(self) -> Path:
        return self.folder / "records.json"

    @property
    def expected(self) -> Path:
        return self.folder / "expected.json"

    def __str__(self) -> str:
        return f"{self.source}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What becomes of the records: bodies, rejects with position, key and reasons, how many were left out by cause.

    ``count``: so many records were taken when more were there. ``since`` and ``until``: the window that was asked for.
    """

    activities: Sequence[Mapping[str, Any]] = ()
    rejects: Sequence[Mapping[str, Any]] = ()
    filtered: Mapping[str, int] = field(default_factory=dict)
    count: int | None = None
    since: str = ""
    until: str = ""

    @property
    def window(self) -> Window | None:
        if not self.since:
            return None
        return Window(start=datetime.fromisoformat(self.since), end=datetime.fromisoformat(self.until))

    @classmethod
    def load(cls, path: Path) -> Expected:
        """Raises :class:`ControlError` when the file is not such."""
        content = read(path)
        try:
            return cls(**content)
        except TypeError as error:
            raise ControlError(f"{path} is not as `cgsync test --update` writes it: {error}") from None

    def save(self, path: Path) -> None:
        write(path, asdict(self))


def named(root: Path, source: str, name: str) -> Case:
    """The test of that name, whether it is there or not."""
    return Case(source=source, name=name, folder=root / quote(source, safe="") / quote(name, safe=" "))


def cases(root: Path) -> list[Case]:
    """Every test that is there, by source and name."""
    folders = sorted(folder for folder in root.glob("*/*") if folder.is_dir())
    return [Case(source=unquote(each.parent.name), name=unquote(each.name), folder=each) for each in folders]


def read(path: Path) -> dict[str, Any]:
    """The content of one of the files, without its format; raises :class:`ControlError`."""
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise ControlError(f"{path} cannot be read: {error.strerror}", hint="`cgsync test --record` makes it") from None
    except ValueError as error:
        raise ControlError(f"{path} is not JSON: {error}") from None
    if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
        raise ControlError(f"{path} is not of format {FORMAT}", hint="record it anew with `cgsync test --record`")
    return content


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Whole or not at all, readable by its owner alone: it holds what records hold."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(path.name + ".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
        json.dump({"format": FORMAT, **content}, stream, indent=2, ensure_ascii=False)
        stream.write("\n")
    fresh.replace(path)
