"""What a template may give: text for a text field, plain JSON for additional information, and no more than fits."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

MAX_FIELD = 64 * 1024
"""Bytes of one field, as UTF-8."""
MAX_DEPTH = 64
"""Levels of a JSON value."""
MAX_BITS = 3322
"""Of an integer: 1,000 digits. Python refuses to write 4,300, and not all who read JSON take as many."""


class Unfit(ValueError):
    """A value does not fit the field it was meant for, in words."""


def clean(text: str) -> str:
    """Without NUL and lone surrogates, which no database and no JSON of ours can hold."""
    if "\0" in text:
        text = text.replace("\0", "")
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
    return text


def fits(text: str) -> str:
    """The same text; raises :class:`Unfit` when it is larger than a field may be."""
    # a character is at most four bytes, so most texts need no counting
    if len(text) > MAX_FIELD // 4 and (size := len(text.encode(errors="replace"))) > MAX_FIELD:
        raise Unfit(f"{size:,} bytes, at most {MAX_FIELD:,} are allowed; shorten it with | truncate(…)")
    return text


def words(value: object) -> str:
    """``value`` as it stands inside a text; raises :class:`Unfit` for what would print as program text."""
    if isinstance(value, str):
        return clean(value if type(value) is str else str.__str__(value))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(_number(value))
    if isinstance(value, datetime):
        return value.isoformat()
    if value is None:
        raise Unfit("null stands inside a text; give it a default: | default('', true)")
    str(value)  # what is missing raises here, in its own words
    raise Unfit(f"{kind(value)}, not a text; name one of its parts, or use | join or | json")


def _number(value: float) -> float:
    if isinstance(value, float) and not math.isfinite(value):
        raise Unfit("not a number that JSON knows (NaN or infinity)")
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        raise Unfit("a number of over 1,000 digits")
    return value


def text(value: object) -> str | None:
    """``value`` for a text field: what is null or empty leaves the field out."""
    if value is None:
        return None
    return fits(words(value))


def plain(value: Any, depth: int = 0) -> Any:
    """``value`` as plain JSON; raises :class:`Unfit` for all that is not JSON, at any depth."""
    if value is None or isinstance(value, (bool, str, int, float, datetime)):
        return _scalar(value)
    if depth >= MAX_DEPTH:
        raise Unfit(f"more than {MAX_DEPTH} levels deep")
    if isinstance(value, Mapping):
        return {_key(key): plain(each, depth + 1) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each, depth + 1) for each in value]
    str(value)  # what is missing raises here, in its own words
    raise Unfit(f"{kind(value)}, not JSON; a loop of values becomes a list by | list")


def _scalar(value: Any) -> Any:
    if isinstance(value, str):
        return words(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return value if value is None else _number(value)


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise Unfit(f"a key is {kind(key)}; JSON knows only text there")
    return words(key)


def json_value(value: Any) -> Any:
    """``value`` for additional information: its JSON type is kept, its size is bounded."""
    if type(value) is str:
        return fits(clean(value))
    result = plain(value)
    if isinstance(result, (dict, list)) and (size := len(msgspec.json.encode(result))) > MAX_FIELD:
        raise Unfit(f"{size:,} bytes of JSON, at most {MAX_FIELD:,} are allowed; pick the parts that matter")
    return result


def truth(value: object) -> bool:
    """The answer of a condition; text is only taken when it says true, false or nothing."""
    if not isinstance(value, str):
        return _truth_of_data(value)
    answer = {"true": True, "false": False, "": False}.get(value.strip().lower())
    if answer is None:
        # a column that holds "no" or "0" would count as true, and nobody would notice
        raise Unfit(f"gives the text {shown(value)}, not true or false; compare it: {{{{ … == 'yes' }}}}")
    return answer


def _truth_of_data(value: object) -> bool:
    if value is None or isinstance(value, (bool, int, float, Mapping, list, tuple)):
        return bool(value)
    str(value)  # what is missing raises here, in its own words
    raise Unfit(f"gives {kind(value)}, not true or false")


def kind(value: object) -> str:
    """What a value is, in the words of JSON."""
    for types, word in _KINDS:
        if isinstance(value, types):
            return word
    return f"a value of type {type(value).__name__}"


_KINDS: Sequence[tuple[type | tuple[type, ...], str]] = (
    (type(None), "null"),
    (bool, "true or false"),
    ((int, float), "a number"),
    (str, "text"),
    (Mapping, "an object"),
    ((list, tuple), "a list"),
    (datetime, "a time"),
)


def shown(value: object, most: int = 60) -> str:
    """A piece of a record inside an error: quoted, escaped, short."""
    quoted = repr(value[: most + 1] if isinstance(value, str) else value)
    return quoted if len(quoted) <= most + 2 else f"{quoted[:most]}…"
