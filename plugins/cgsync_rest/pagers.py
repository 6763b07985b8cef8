"""The ways to the next page, one class each: ``first()`` and ``after(turn, page)``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qsl, urljoin, urlsplit

from cgsync.api import Json, SourceUnavailable
from cgsync.formats import Path
from cgsync_rest.fields import field_of
from cgsync_rest.page import Page
from cgsync_rest.paths import one, path
from cgsync_rest.request import Addition
from cgsync_rest.turns import Turn

LINK = re.compile(r"<([^<>]*)>((?:\s*;\s*[\w!#$&+.^`|~*-]+\s*=\s*(?:\"(?:[^\"\\]|\\.)*\"|[^\s\";,]+))*)")
RELATION = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s\";,]+))", re.IGNORECASE)
NUMBER = re.compile(r"-?[0-9]{1,15}")


class Pager(Protocol):
    """How one gets from page to page. ``size``: records that were asked for, where that is known."""

    @property
    def size(self) -> int | None: ...

    def first(self) -> Turn: ...

    def after(self, turn: Turn, page: Page) -> Turn | None:
        """The next page's turn; ``None`` when the answer says that there is none."""


@dataclass(frozen=True, slots=True)
class Single:
    """One answer holds everything."""

    size: int | None = None

    def first(self) -> Turn:
        return Turn()

    def after(self, turn: Turn, page: Page) -> Turn | None:  # noqa: ARG002 - there is no next one
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """Pages with numbers."""

    param: str = "page"
    start: int = 1
    size_param: str | None = None
    size: int | None = None
    total: Path | None = None

    def first(self) -> Turn:
        return self._turn(1)

    def after(self, turn: Turn, page: Page) -> Turn | None:
        pages = _count(self.total, page)
        return None if pages is not None and turn.number >= pages else self._turn(turn.number + 1)

    def _turn(self, count: int) -> Turn:
        number = self.start + count - 1
        sized: dict[str, Json] = {self.size_param: self.size} if self.size_param and self.size else {}
        return Turn(number=count, token=number, addition=Addition(params={self.param: number, **sized}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Offset:
    """Pages by the number of records before them, of those that really came: a server may give fewer than asked."""

    param: str = "offset"
    limit_param: str = "limit"
    size: int = 100
    total: Path | None = None

    def first(self) -> Turn:
        return self._turn(1, 0)

    def after(self, turn: Turn, page: Page) -> Turn | None:
        came = turn.token if isinstance(turn.token, int) else 0
        offset = came + (len(page.nodes) or self.size)
        records = _count(self.total, page)
        return None if records is not None and offset >= records else self._turn(turn.number + 1, offset)

    def _turn(self, number: int, offset: int) -> Turn:
        params: dict[str, Json] = {self.param: offset, self.limit_param: self.size}
        return Turn(number=number, token=offset, addition=Addition(params=params))


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """The answer holds a token for the next page, in its body or in a header; it goes where ``to`` says."""

    path: Path | None = None
    header: str | None = None
    to: str
    name: str
    size: int | None = None

    def first(self) -> Turn:
        return Turn()

    def after(self, turn: Turn, page: Page) -> Turn | None:
        token = self._token(page)
        if token is None or token is False or token == "":
            return None
        addition = {
            "param": lambda: Addition(params={self.name: token}),
            "body_path": lambda: Addition(fields={self.name: token}),
            "header_name": lambda: Addition(headers={self.name: str(token)}),
        }[self.to]()
        return Turn(number=turn.number + 1, token=token, addition=addition, lasting=not is_number(token))

    def _token(self, page: Page) -> Json:
        if self.header:
            return page.answer.headers.get(self.header)
        found: Json = one(self.path, page.answer.document)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class NextUrl:
    """The answer holds the address of the next page."""

    path: Path
    size: int | None = None

    def first(self) -> Turn:
        return Turn()

    def after(self, turn: Turn, page: Page) -> Turn | None:
        link = one(self.path, page.answer.document)
        return linked(turn, page, link) if isinstance(link, str) and link else None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkHeader:
    """The header ``Link`` (RFC 8288) holds the address of the next page."""

    rel: str = "next"
    size: int | None = None

    def first(self) -> Turn:
        return Turn()

    def after(self, turn: Turn, page: Page) -> Turn | None:
        for address, parameters in LINK.findall(_all_of("link", page.answer.headers)):
            found = RELATION.search(parameters)
            if found and self.rel.lower() in (found[1] or found[2] or "").lower().split():
                return linked(turn, page, address)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyset:
    """The next page starts behind the last record of this one."""

    field: str
    param: str
    size: int | None = None

    def first(self) -> Turn:
        return Turn()

    def after(self, turn: Turn, page: Page) -> Turn | None:
        if not page.nodes:
            return None
        value = field_of(page.last_record, self.field)
        if value is None or isinstance(value, Mapping | list):
            raise SourceUnavailable(f"{shown(page.answer.url)}: the last record of a page has no {self.field!r}")
        addition = Addition(params={self.param: value})
        return Turn(number=turn.number + 1, token=value, addition=addition, lasting=True)


def linked(turn: Turn, page: Page, link: str) -> Turn:
    """The turn of a page by its address. Raises :class:`SourceUnavailable` for one that leads away from the API."""
    here = page.answer.url
    url = urljoin(here, link)
    if origin(url) != origin(here):
        raise SourceUnavailable(
            f"{shown(here)}: the next page is said to be at {origin(url)}, another origin: it was not followed"
        )
    return Turn(number=turn.number + 1, token=url, addition=Addition(url=url), lasting=not is_shift(here, url))


def is_shift(here: str, there: str) -> bool:
    """Whether all that changes from one address to the next are numbers: those of pages, which lists outgrow."""
    if urlsplit(here).path != urlsplit(there).path:
        return False
    now, then = dict(parse_qsl(urlsplit(here).query)), dict(parse_qsl(urlsplit(there).query))
    changed = [value for name, value in then.items() if now.get(name) != value]
    return bool(changed) and all(is_number(value) for value in changed)


def is_number(token: object) -> bool:
    return isinstance(token, int | float) or (isinstance(token, str) and bool(NUMBER.fullmatch(token)))


def origin(url: str) -> str:
    """Scheme, host and port."""
    parts = urlsplit(url)
    try:
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    except ValueError:
        port = -1
    return f"{parts.scheme}://{parts.hostname}:{port}"


def shown(url: str) -> str:
    """Without its query, which may hold a key."""
    return url.partition("?")[0]


def _count(where: Path | None, page: Page) -> int | None:
    found = one(where, page.answer.document)
    return int(found) if is_number(found) else None


def _all_of(name: str, headers: Mapping[str, str]) -> str:
    several = getattr(headers, "getall", None)
    values: Sequence[str] = several(name, ()) if several else [headers.get(name, "")]
    return ", ".join(values)


def pager_of(options: Mapping[str, Any]) -> Pager:
    """The pager that ``paginate`` asks for."""
    for kind, given in options.items():
        return _PAGERS[kind](given)
    return Single()


def _numbered(given: Mapping[str, Any]) -> Pager:
    total = path(given.get("total_path"), "paginate: page: total_path")
    size, start = given.get("size"), given.get("start", 1)
    return Numbered(
        param=given.get("param", "page"), start=start, size_param=given.get("size_param"), size=size, total=total
    )


def _offset(given: Mapping[str, Any]) -> Pager:
    return Offset(
        param=given.get("param", "offset"),
        limit_param=given.get("limit_param", "limit"),
        size=given.get("limit", 100),
        total=path(given.get("total_path"), "paginate: offset: total_path"),
    )


def _token(given: Mapping[str, Any]) -> Pager:
    to = next(name for name in ("param", "body_path", "header_name") if name in given)
    where = path(given.get("path"), "paginate: cursor: path")
    return Token(path=where, header=given.get("header"), to=to, name=given[to])


def _next_url(given: Mapping[str, Any]) -> Pager:
    where = path(given["path"], "paginate: next_url: path")
    assert where is not None
    return NextUrl(path=where)


def _link_header(given: Mapping[str, Any]) -> Pager:
    return LinkHeader(rel=given.get("rel", "next"))


def _keyset(given: Mapping[str, Any]) -> Pager:
    return Keyset(field=given["field"], param=given["param"])


def _single(_given: Mapping[str, Any]) -> Pager:
    return Single()


_PAGERS: Mapping[str, Callable[[Mapping[str, Any]], Pager]] = {
    "none": _single,
    "page": _numbered,
    "offset": _offset,
    "cursor": _token,
    "next_url": _next_url,
    "link_header": _link_header,
    "keyset": _keyset,
}
