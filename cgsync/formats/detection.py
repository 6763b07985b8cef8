"""The formats by name, and which one a file has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePath
from types import MappingProxyType
from typing import BinaryIO, TypeAlias

from cgsync.formats import delimited, lines, values
from cgsync.formats.encoding import readable
from cgsync.formats.options import DecodeOptions
from cgsync.formats.records import START, Decoded, Malformed, Resume, Undecodable
from cgsync.formats.seen import evident

Decoder: TypeAlias = Callable[[BinaryIO, DecodeOptions, Resume], Iterator[Decoded | Undecodable]]

FORMATS: Mapping[str, Decoder] = MappingProxyType(
    {"csv": delimited.decode, "ndjson": lines.decode, "json": values.decode}
)
EXTENSIONS = {".csv": "csv", ".tsv": "csv", ".tab": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}
HEAD = 64 * 1024


def decode(stream: BinaryIO, options: DecodeOptions, resume: Resume = START) -> Iterator[Decoded | Undecodable]:
    """The records of a seekable stream from ``resume`` on.

    Raises :class:`Malformed` where the stream, or what is left of it, cannot be read at all.
    """
    return FORMATS[options.format](stream, options, resume)


def detect(name: str, stream: BinaryIO) -> str:
    """The format of a stream: by the extension of ``name``, else by its first 64 KiB. Raises :class:`Malformed`."""
    stream.seek(0)
    head = stream.read(HEAD)
    if foreign := evident(head):
        raise Malformed(f"this is {foreign}, which cannot be read here", raw=head[:64], hint="unpack or convert it")
    if known := EXTENSIONS.get(PurePath(name).suffix.lower()):
        return known
    return _by_content(head)


def _by_content(head: bytes) -> str:
    text = readable(head).lstrip()
    if text.startswith(("[", "{")):
        return "ndjson" if in_lines(text) else "json"
    if "\0" in text:
        raise Malformed("these bytes are not text", raw=head[:64], hint="say `format:`, or exclude such files")
    return "csv"


def in_lines(text: str) -> bool:
    """Whether the first line is an object, and the next one begins one."""
    first, _, rest = text.lstrip().partition("\n")
    return first.startswith("{") and first.rstrip().endswith("}") and rest.lstrip().startswith("{")
