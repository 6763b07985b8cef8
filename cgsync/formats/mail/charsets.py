"""From the bytes of a mail to its text, whatever charset they claim to have."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from cgsync.formats.encoding import UTF8, transparent, utf8
from cgsync.formats.mediatype import text_encoding
from cgsync.formats.text import scrubbed

LAST_RESORT = "cp1252"
MEANT: Mapping[str, str] = MappingProxyType(
    {
        "ascii": "cp1252",
        "iso8859-1": "cp1252",
        "iso8859-9": "cp1254",
        "tis-620": "cp874",
        "gb2312": "gb18030",
        "gbk": "gb18030",
        "euc_kr": "cp949",
        "shift_jis": "cp932",
        "big5": "big5hkscs",
    }
)
"""What senders write under these names; each includes what its name says."""
CALLED: Mapping[str, str] = MappingProxyType(
    {
        "ks_c_5601-1987": "cp949",
        "ks_c_5601": "cp949",
        "x-sjis": "cp932",
        "x-gbk": "gb18030",
        "x-mac-roman": "mac_roman",
        "x-macintosh": "mac_roman",
        "iso-8859-8-i": "iso8859-8",
        "iso-8859-8-e": "iso8859-8",
        "iso-8859-6-i": "iso8859-6",
        "unicode-1-1-utf-8": "utf-8",
        "x-unicode-2-0-utf-8": "utf-8",
        "windows-874": "cp874",
        "windows-31j": "cp932",
    }
)
"""Names that Python does not know."""


def as_text(raw: bytes, declared: str = "") -> str:
    """The text: as valid UTF-8 where it is that, else as declared, else as Windows-1252. Nothing is refused."""
    encoding = known(declared)
    if utf8(raw) and (encoding is None or _transparent(encoding)):
        encoding = UTF8
    try:
        text = raw.decode(encoding or LAST_RESORT)
    except UnicodeError:
        text = raw.decode(LAST_RESORT, "replace")
    return scrubbed(text.removeprefix("\ufeff"))[0]


@cache
def known(declared: str) -> str | None:
    """Python's name of a charset as it is written in mails, or ``None``."""
    name = declared.strip(" \t\"'").lower()
    for found in (name, name.removeprefix("x-"), name.partition(";")[0].strip(), name.replace("_", "-")):
        encoding = text_encoding(CALLED.get(found, found))
        if encoding is not None:
            return MEANT.get(encoding, encoding)
    return None


@cache
def _transparent(encoding: str) -> bool:
    return transparent(encoding)
