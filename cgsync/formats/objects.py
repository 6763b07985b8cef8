"""From the bytes of one JSON object to a record, with its place and its encoding."""

from __future__ import annotations

from collections.abc import Mapping

from cgsync.api import MAX_RAW, Json
from cgsync.formats.encoding import UTF8, utf8
from cgsync.formats.options import DecodeOptions
from cgsync.formats.records import Decoded, Resume, Undecodable
from cgsync.formats.strictjson import parse


class Objects:
    """Turns the texts of one stream into records, and switches to the fallback encoding at the first that asks."""

    def __init__(self, options: DecodeOptions, encoding: str, memo: Mapping[str, Json]) -> None:
        self._cap = options.limits.record
        self._depth = options.limits.depth
        self._encoding = str(memo.get("codec", encoding))
        self._fallback = options.fallback_encoding if self._encoding == UTF8 else None
        self._memo = memo

    def item(
        self, raw: bytes, *, length: int, offset: int, line: int, row: int, next_line: int
    ) -> Decoded | Undecodable:
        """The record in ``raw``, of which ``length`` bytes are in the stream at ``offset``."""
        if self._fallback and not utf8(raw):
            self._encoding, self._fallback = self._fallback, None
            self._memo = {**self._memo, "codec": self._encoding}
        after = Resume(offset=offset + length, line=next_line, row=row + 1, memo=self._memo)
        try:
            data, cleaned = self._parse(raw, length)
        except ValueError as error:
            reason = str(error)
            return Undecodable(raw=raw[:MAX_RAW], reason=reason, line=line, offset=offset, row=row, after=after)
        return Decoded(data=data, line=line, offset=offset, row=row, after=after, cleaned=cleaned)

    def _parse(self, raw: bytes, length: int) -> tuple[dict[str, object], int]:
        if length > self._cap and len(raw.rstrip()) > self._cap:
            raise ValueError(f"the record has {length} bytes, at most {self._cap} are allowed")
        data, cleaned = parse(raw, depth=self._depth, encoding=self._encoding)
        if not isinstance(data, dict):
            raise ValueError("not a JSON object")  # noqa: TRY004 - a reason like the others, not a bug
        return data, cleaned
