"""Comes next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from cgsync.formats.options import DecodeOptions
from cgsync.formats.records import Decoded, Resume, Undecodable


def decode(stream: BinaryIO, options: DecodeOptions, resume: Resume) -> Iterator[Decoded | Undecodable]:
    raise NotImplementedError
