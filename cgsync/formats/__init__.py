"""The door from bytes to records: decoders with caps, exact positions and a state to go on from.

    for item in decode(stream, DecodeOptions(format="csv"), resume):
        match item:
            case Decoded(data=data, line=line, after=after): ...      a record, and where the next one starts
            case Undecodable(raw=raw, reason=reason, after=after): ... what could not be read; the stream goes on

A decoder reads a seekable binary stream in constant memory. Its ``Resume`` is small, is JSON by ``as_json``, and is
good for as long as the bytes before it do not change.
"""

from __future__ import annotations

from cgsync.formats.detection import FORMATS, decode, detect
from cgsync.formats.options import CsvOptions, DecodeOptions, Limits
from cgsync.formats.records import START, Decoded, Malformed, Resume, Undecodable

__all__ = [
    "FORMATS",
    "START",
    "CsvOptions",
    "DecodeOptions",
    "Decoded",
    "Limits",
    "Malformed",
    "Resume",
    "Undecodable",
    "decode",
    "detect",
]
