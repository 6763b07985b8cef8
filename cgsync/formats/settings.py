"""From checked options to what the decoders take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cgsync.api import SourceMisconfigured
from cgsync.formats.mediatype import text_encoding
from cgsync.formats.options import BodyOptions, CsvOptions, Limits


def decode_settings(options: Mapping[str, Any], *, limits: Mapping[str, Any] | None = None) -> BodyOptions:
    """``options`` by ``DECODE_SCHEMA``; of ``limits``, ``record`` and ``decompressed`` (both bytes) are taken.

    Raises :class:`SourceMisconfigured` for an encoding that Python does not have.
    """
    caps = limits or {}
    return BodyOptions(
        format=options.get("format", "auto"),
        compression=options.get("compression", "auto"),
        member=options.get("member", "*"),
        encoding=known_encoding(options.get("encoding"), "encoding"),
        csv=csv_settings(options.get("csv", {})),
        text=options.get("text", "lines"),
        lists=tuple(options.get("xml", {}).get("lists", ())),
        limits=Limits(record=caps.get("record", Limits().record)),
        expanded=caps.get("decompressed", BodyOptions().expanded),
    )


def csv_settings(options: Mapping[str, Any]) -> CsvOptions:
    """``options`` by ``CSV_SCHEMA``."""
    delimiter = options.get("delimiter", "auto")
    header = options.get("header", True)
    return CsvOptions(
        delimiter={"auto": None, "tab": "\t"}.get(delimiter, delimiter),
        quote=options.get("quote", '"'),
        escape=options.get("escape", ""),
        header=header if isinstance(header, bool) else tuple(header),
        skip_rows=options.get("skip_rows", 0),
    )


def known_encoding(encoding: str | None, option: str) -> str | None:
    """Python's name of the encoding. Raises :class:`SourceMisconfigured` where it has none."""
    if encoding is None:
        return None
    name = text_encoding(encoding)
    if name is None:
        raise SourceMisconfigured(
            f"{option}: there is no encoding {encoding!r}", hint="for instance utf-8, cp1252, iso8859-15"
        )
    return name
