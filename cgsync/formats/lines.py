"""NDJSON: one JSON object a line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from cgsync.formats.encoding import prepared
from cgsync.formats.objects import Objects
from cgsync.formats.options import DecodeOptions
from cgsync.formats.physical import skip_line
from cgsync.formats.records import Decoded, Resume, Undecodable


def decode(stream: BinaryIO, options: DecodeOptions, resume: Resume) -> Iterator[Decoded | Undecodable]:
    """Each line that is not blank as a record; one that is no JSON object is an :class:`Undecodable`."""
    stream, encoding, start = prepared(stream, options.encoding)
    objects = Objects(options, encoding, resume.memo)
    offset, line, row = max(resume.offset, start), resume.line, resume.row
    longest = options.limits.record + len(b"\r\n")
    stream.seek(offset)
    while raw := stream.readline(longest):
        length = len(raw)
        if length == longest and not raw.endswith(b"\n"):
            length += skip_line(stream)
        if length > longest or not raw.isspace():
            yield objects.item(raw, length=length, offset=offset, line=line, row=row, next_line=line + 1)
            row += 1
        offset, line = offset + length, line + 1
