"""The options of a files source, checked and in one shape."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cgsync.api import SourceMisconfigured
from cgsync.formats import DecodeOptions, Limits, csv_settings, known_encoding
from cgsync.formats.encoding import transparent
from cgsync_files.targets import target

DEFAULT_STABLE = timedelta(seconds=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """``stable``: how long a file must have rested; ``done_file``: name of its marker, with {name} or {stem}."""

    stable: timedelta
    done_file: str | None = None

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Readiness:
        at_once = options.get("rename", False) or "done_file" in options
        stable = options.get("stable", timedelta(0) if at_once else DEFAULT_STABLE)
        return cls(stable=stable, done_file=options.get("done_file"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """``format`` ``None``: told for each file. ``key`` empty: a hash of the row. ``move``/``delete``: afterwards."""

    path: Path
    include: Sequence[str]
    exclude: Sequence[str]
    depth: int
    order: str
    format: str | None
    decoding: DecodeOptions
    key: Sequence[str]
    revision: str | None
    readiness: Readiness
    move: str | None = None
    delete: bool = False
    failed: str = "failed/"
    skip_same: bool = True
    bad_rows: int = 10_000
    reserved: Sequence[str] = field(default_factory=tuple)
    """Folders below ``path`` that are ours: what was moved there is not read again."""

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Settings:
        """Raises :class:`SourceMisconfigured` for an encoding that Python does not have."""
        path = Path(options["path"])
        include = several(options.get("include", "*"))
        after = options.get("after", "keep")
        depth = options.get("depth", 16) if options.get("recursive") or any("/" in name for name in include) else 0
        move = apart("after: move", beneath(path, after["move"]), depth) if isinstance(after, Mapping) else None
        failed = apart("failed", beneath(path, options.get("failed", "failed/")), depth)
        key = options["key"]
        return cls(
            path=path,
            include=include,
            exclude=several(options.get("exclude", ())),
            depth=depth,
            order=options.get("order", "name"),
            format=None if options.get("format", "auto") == "auto" else options["format"],
            decoding=decoding(options),
            key=() if key == "row" else several(key),
            revision=options.get("revision"),
            readiness=Readiness.of(options.get("readiness", {})),
            move=move,
            delete=after == "delete",
            failed=failed,
            skip_same=options.get("same_content", "skip") == "skip",
            bad_rows=options.get("limits", {}).get("bad_rows", 10_000),
            reserved=tuple(fixed_part(target) for target in (move, failed) if target and fixed_part(target)),
        )


def several(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def decoding(options: Mapping[str, Any]) -> DecodeOptions:
    limits = options.get("limits", {})
    return DecodeOptions(
        format="",
        encoding=known_encoding(options.get("encoding"), "encoding"),
        fallback_encoding=bytewise(options.get("fallback_encoding")),
        csv=csv_settings(options.get("csv", {})),
        limits=Limits(
            record=limits.get("record", Limits().record),
            columns=limits.get("columns", Limits().columns),
            depth=limits.get("depth", Limits().depth),
        ),
    )


def bytewise(encoding: str | None) -> str | None:
    name = known_encoding(encoding, "fallback_encoding")
    if name is not None and not transparent(name):
        raise SourceMisconfigured(
            f"fallback_encoding: {encoding!r} cannot follow UTF-8 within a file",
            hint="if all files have it, say `encoding:` instead",
        )
    return name


def beneath(path: Path, folder: str) -> str:
    """The target as seen from ``path`` where it lies below it, so that it is treated as ours; else absolute."""
    if not folder.startswith("/") and ".." not in folder.split("/"):
        return folder
    place = Path(os.path.normpath(path / folder))
    return str(place.relative_to(path)) if place.is_relative_to(path) else str(place)


def apart(option: str, template: str, depth: int) -> str:
    """The template, if what is put there is not read again. Raises :class:`SourceMisconfigured`."""
    folder = template.startswith("/") or fixed_part(template) or (depth == 0 and "/" in template.strip("/"))
    if folder and target(template, "a/b.c", datetime(2000, 1, 1, tzinfo=UTC)) != "a/b.c":
        return template
    raise SourceMisconfigured(f"{option}: {template!r} is in the folder that is read", hint="for instance archive/%Y/")


def fixed_part(folder: str) -> str:
    """The folders at the beginning of a template that are the same for every file; "" for an absolute path."""
    names = [] if folder.startswith("/") else folder.split("/")
    if names and ("{name}" in folder or "{stem}" in folder):
        del names[-1]  # that is the file
    variable = (place for place, name in enumerate(names) if "{" in name or "%" in name or name in ("", ".", ".."))
    return "/".join(names[: next(variable, len(names))])
