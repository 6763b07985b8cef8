"""What is packed: gzip, zip and deflate, expanded only as far as the caps allow."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from cgsync.formats.options import BodyOptions
from cgsync.formats.records import Malformed
from cgsync.formats.seen import seen

RATIO = 250
"""How much larger anything may become; text shrinks to a tenth or a twentieth, bombs to a thousandth and less."""
FREE = 10 * 1024 * 1024
"""Bytes up to which the ratio says nothing: a few kilobytes of blanks are no bomb."""
MEMBERS = 1000
READABLE = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
ENCRYPTED = 0x1
CHUNK = 256 * 1024
CUT = "what is compressed ends in the middle"
CUT_HINT = "was it cut short on its way?"


@dataclass(frozen=True, slots=True)
class Member:
    """One file out of what is packed; ``name`` is a label and never a place."""

    name: str
    content: bytes


def packing(body: bytes, options: BodyOptions) -> str:
    """``none``, ``gzip``, ``zip`` or ``deflate``: as stated, or by the first bytes."""
    if options.compression != "auto":
        return options.compression
    if body.startswith(b"\x1f\x8b"):
        return "gzip"
    return "zip" if body.startswith((b"PK\x03\x04", b"PK\x05\x06")) else "none"


def unpacked(body: bytes, kind: str, name: str, options: BodyOptions) -> list[Member]:
    """The files within, in their order; for anything but zip it is one. Raises :class:`Malformed`."""
    room = Room(len(body), options.expanded)
    if kind == "zip":
        return list(_zipped(body, options.member, room))
    if kind == "gzip":
        return [Member(name.removesuffix(".gz"), _gzipped(body, room))]
    if kind == "deflate":
        return [Member(name, _deflated(body, room))]
    return [Member(name, body)]


class Room:
    """How many bytes may still come out."""

    def __init__(self, packed: int, expanded: int) -> None:
        self._by_ratio = max(FREE, RATIO * packed)
        self._cap = expanded
        self.left = min(self._by_ratio, expanded)

    def take(self, size: int) -> None:
        """Raises :class:`Malformed` when there is no room for that."""
        if size <= self.left:
            self.left -= size
        elif self._cap <= self._by_ratio:
            raise Malformed(f"it expands to more than {self._cap} bytes", hint="raise the limit if that is right")
        else:
            raise Malformed(f"it expands to more than {RATIO} times its size, as only a bomb does")


def _gzipped(body: bytes, room: Room) -> bytes:
    try:
        return _drained(gzip.GzipFile(fileobj=io.BytesIO(body)).read, room)
    except EOFError:
        raise Malformed(CUT, raw=body, hint=CUT_HINT) from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise _broken(error, body) from None


def _deflated(body: bytes, room: Room) -> bytes:
    # many call it deflate and leave the header out
    machine = zlib.decompressobj(zlib.MAX_WBITS if _has_header(body) else -zlib.MAX_WBITS)
    try:
        out = machine.decompress(body, room.left + 1)
    except zlib.error as error:
        raise _broken(error, body) from None
    room.take(len(out))
    if not machine.eof:
        raise Malformed(CUT, raw=body, hint=CUT_HINT)
    return out


def _has_header(body: bytes) -> bool:
    return len(body) > 1 and body[0] & 0x0F == zlib.DEFLATED and int.from_bytes(body[:2], "big") % 31 == 0


def _drained(read: Callable[[int], bytes], room: Room) -> bytes:
    parts = []
    while part := read(CHUNK):
        room.take(len(part))
        parts.append(part)
    return b"".join(parts)


def _broken(error: Exception, body: bytes) -> Malformed:
    return Malformed(f"the compression is broken: {error}; got {seen(body)}", raw=body)


def _zipped(body: bytes, pattern: str, room: Room) -> Iterator[Member]:
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            for info in _chosen(archive.infolist(), pattern):
                yield Member(info.filename, _member(archive, info, room))
    # zipfile trusts what an archive says of itself, and fails as it happens to
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError) as error:
        raise Malformed(f"the ZIP archive is broken: {error}", raw=body) from None


def _chosen(infos: list[zipfile.ZipInfo], pattern: str) -> list[zipfile.ZipInfo]:
    if any(info.filename == "[Content_Types].xml" for info in infos):
        raise Malformed("expected data, got a spreadsheet or another Office file", hint="export it as CSV")
    files = [info for info in infos if not info.is_dir() and not info.filename.startswith("__MACOSX/")]
    chosen = [info for info in files if fnmatchcase(info.filename, pattern)]
    if len(chosen) > MEMBERS:
        raise Malformed(f"the ZIP archive holds {len(chosen)} files, at most {MEMBERS} are read")
    if not chosen:
        names = ", ".join(repr(info.filename[:60]) for info in files[:5])
        raise Malformed(f"the ZIP archive holds no file {pattern!r}", hint=f"it holds {names}" if names else "")
    return chosen


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, room: Room) -> bytes:
    if info.flag_bits & ENCRYPTED:
        raise Malformed(f"{info.filename[:60]!r} in the ZIP archive is encrypted")
    if info.compress_type not in READABLE:
        raise Malformed(f"{info.filename[:60]!r} in the ZIP archive is compressed in a way that is not read here")
    with archive.open(info) as stream:
        return _drained(stream.read, room)
