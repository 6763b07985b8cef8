"""How bytes are to be decoded, and the caps that hold whatever they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Caps; what passes one is an ``Undecodable``. ``record`` in bytes, ``columns`` of a CSV, ``depth`` of JSON."""

    record: int = 1024 * 1024
    columns: int = 1000
    depth: int = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvOptions:
    """The dialect. ``delimiter`` ``None``: told from the first line. ``quote`` and ``escape`` may be ``""``: none.

    ``header``: ``True``, the first row names the columns; ``False``, they are c1, c2, …; or the names.
    ``skip_rows``: physical lines before all that.
    """

    delimiter: str | None = None
    quote: str = '"'
    escape: str = ""
    header: bool | Sequence[str] = True
    skip_rows: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodeOptions:
    """``encoding`` ``None``: by the byte order mark, else strict UTF-8, and from the first record that is not UTF-8
    on ``fallback_encoding``, where one is given."""

    format: str
    encoding: str | None = None
    fallback_encoding: str | None = None
    csv: CsvOptions = field(default_factory=CsvOptions)
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyOptions:
    """How one body is read. ``encoding`` ``None``: byte order mark, then the charset that came with it, then UTF-8.

    ``member``: which files of a zip. ``expanded``: the most bytes that what is packed may come to, all files together.
    ``text``: ``lines`` or ``whole``. ``lists``: elements of XML that are a list also where they come once.
    """

    format: str = "auto"
    compression: str = "auto"
    member: str = "*"
    encoding: str | None = None
    csv: CsvOptions = field(default_factory=CsvOptions)
    text: str = "lines"
    lists: Sequence[str] = ()
    limits: Limits = field(default_factory=Limits)
    expanded: int = 256 * 1024 * 1024
