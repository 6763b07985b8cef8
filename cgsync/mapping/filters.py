"""The filters that templates have beside Jinja's own. What is missing or null passes through all of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from datetime import tzinfo
from functools import wraps
from hashlib import blake2b
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from jinja2 import Undefined

from cgsync.mapping.dates import read_time
from cgsync.mapping.environment import Missing
from cgsync.mapping.spec import Lookup
from cgsync.mapping.values import MAX_FIELD, Unfit, plain, shown, words
from cgsync.markup import text_of

Filter = Callable[..., Any]
MAX_DIGITS = 128
MAX_MARKUP = 16 * MAX_FIELD
"""Characters of HTML: most of it is not text."""


def filters_for(zone: tzinfo, lookups: Mapping[str, Lookup]) -> dict[str, Filter]:
    """All filters of ours, by name, for a source that lives in ``zone``."""
    own: dict[str, Filter] = {
        "datetime": _datetime_in(zone),
        "lookup": _lookup_in(lookups),
        "label": label,
        "domain": domain,
        "email": email,
        "text": html_text,
        "truncate": truncate,
        "regex_find": regex_find(),
        "slug": slug,
        "hash": digest,
    }
    filters = {name: _passing(function) for name, function in own.items()}
    return {**filters, "json": json_text, "tojson": json_text}


def _passing(function: Filter) -> Filter:
    @wraps(function)
    def call(value: Any, *args: Any, **options: Any) -> Any:
        if value is None or isinstance(value, Undefined):
            return value
        return function(value, *args, **options)

    return call


def _datetime_in(zone: tzinfo) -> Filter:
    def to_datetime(value: object, format: str | None = None, timezone: str | None = None) -> str:  # noqa: A002 - a template's word
        """ISO 8601 with offset, out of anything that ``happened_at`` takes, or of the named format."""
        where = zone if timezone is None else _zone(timezone)
        return read_time(value, where, form=format).isoformat()

    return to_datetime


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (LookupError, OSError, ValueError) as error:
        raise Unfit(f"there is no time zone {shown(name)}") from error


def _lookup_in(lookups: Mapping[str, Lookup]) -> Filter:
    def lookup(value: object, name: str) -> object:
        """What the table of that name holds for the value."""
        if name not in lookups:
            raise Unfit(f"there is no lookup {shown(name)}")
        found = lookups[name].get(words(value))
        if found is None:
            return Missing(hint=f"the lookup `{name}` has no entry for {shown(value)}")
        return found

    return lookup


def label(value: object, names: Mapping[Any, Any]) -> Any:
    """The name of a code; a number and the same number as text are one code."""
    if type(value) in {int, str} and value in names:
        return names[value]
    code = words(value)
    for each, name in names.items():
        if words(each) == code:
            return name
    return Missing(hint=f"there is no label for {shown(value)}")


def email(value: object) -> object:
    """The first address in ``Name <a@b.example>, …``."""
    first = words(value).split(",")[0] if "<" not in words(value) else words(value)
    _, bracket, rest = first.partition("<")
    address = (rest.partition(">")[0] if bracket else first).strip()
    name, at, host = address.partition("@")
    if not (name and at and host) or "@" in host or any(each.isspace() for each in address):
        return Missing(hint=f"there is no e-mail address in {shown(value)}")
    return address


def domain(value: object) -> object:
    """The domain of an address or of a URL, in lower case."""
    url = words(value).strip()
    scheme, slashes, rest = url.partition("://")
    if slashes and scheme.isalnum():
        host = rest.partition("/")[0].rpartition("@")[2].partition(":")[0]
    elif "@" in url:
        address = email(url)
        if not isinstance(address, str):
            return address
        host = address.rpartition("@")[2]
    else:
        host = url
    host = host.rstrip(".").lower()
    if not host or any(each.isspace() or each in "/?#@<>," for each in host):
        return Missing(hint=f"there is no domain in {shown(value)}")
    return host


def html_text(value: object) -> str:
    """The text of HTML: no tags, scripts or styles, one line a block."""
    markup = words(value)
    if len(markup) > MAX_MARKUP:
        raise Unfit(f"{len(markup):,} characters of HTML are too many")
    return text_of(markup)


def truncate(value: object, length: int = 255, killwords: bool = False, end: str = "…") -> str:
    """At most ``length`` characters, ``end`` included; cut between words unless ``killwords``."""
    text = words(value)
    if len(text) <= length:
        return text
    kept = text[: max(length - len(end), 0)]
    if not killwords and " " in kept:
        kept = kept.rpartition(" ")[0]
    return kept + end[:length]


def regex_find() -> Filter:
    """A filter with its own memory of compiled patterns: one sandbox, one memory."""
    compiled: dict[str, Any] = {}

    def find(value: object, pattern: str) -> object:
        """The first match of a pattern: its first group, or all of it. RE2, so no text can make it slow."""
        if pattern not in compiled and len(compiled) < 100:
            compiled[pattern] = compile_pattern(pattern)
        expression = compiled.get(pattern) or compile_pattern(pattern)
        found = expression.search(words(value))
        if found is None:
            return Missing(hint=f"the pattern {shown(pattern)} is not found")
        return found[1] if expression.groups else found[0]

    return find


def compile_pattern(pattern: str) -> Any:
    """A pattern of RE2; raises :class:`Unfit` with what is wrong with it."""
    from cgsync.formats.patterns import compiled  # only who uses patterns pays for it

    try:
        return compiled(pattern)
    except ValueError as error:
        raise Unfit(str(error)) from error


def slug(value: object) -> str:
    """``Müller & Söhne`` → ``muller-sohne``: lower case, without marks, words joined by hyphens."""
    letters = unicodedata.normalize("NFKD", words(value))
    bare = "".join(each if each.isalnum() else " " for each in letters if not unicodedata.combining(each))
    return "-".join(bare.lower().split())


def digest(value: object, length: int = 32) -> str:
    """The first so many hexadecimal digits of BLAKE2b-512 of the text."""
    if not 1 <= length <= MAX_DIGITS:
        raise Unfit(f"a hash has 1 to {MAX_DIGITS} digits")
    return blake2b(words(value).encode()).hexdigest()[:length]


def json_text(value: object) -> object:
    """The value as JSON text."""
    if isinstance(value, Undefined):
        return value
    return msgspec.json.encode(plain(value)).decode()
