"""One request: its form, as the options state it, and what becomes of that with the variables of a page."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlencode, urljoin

import msgspec

from cgsync.api import Json
from cgsync_rest.rendering import Compile, Rendering, Variables, is_template, rendering

JSON_TYPE = {"Content-Type": "application/json"}
FORM_TYPE = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """What a page or a position adds to a request. ``fields``: of the body, by paths with dots. ``url``: instead."""

    params: Mapping[str, Json] = field(default_factory=dict)
    fields: Mapping[str, Json] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request, filled in. ``url`` is whole, with its query."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None

    def fingerprint(self) -> bytes:
        """The same for the same request."""
        content = msgspec.json.encode([self.method, self.url, dict(self.headers)], order="sorted")
        return hashlib.blake2b(content + b"\0" + (self.body or b""), digest_size=8).digest()


class RequestForm:
    """A request with gaps. ``base``: what a relative address is relative to."""

    def __init__(
        self, options: Mapping[str, Any], compile_: Compile, *, headers: Mapping[str, Any] | None = None, base: str = ""
    ) -> None:
        self._method = options.get("method", "GET")
        self._base = base
        self._url = rendering(options["url"], compile_)
        self._params = {name: Param.of(raw, compile_) for name, raw in options.get("params", {}).items()}
        self._lists = options.get("param_lists", "repeat")
        self._headers = {name: rendering(raw, compile_) for name, raw in (headers or {}).items()}
        self._body = Body.of(options.get("body", {}), compile_)

    def fill(self, variables: Variables, *additions: Addition) -> Asked:
        headers = {name: text_of(render(variables)) for name, render in self._headers.items()}
        fields: dict[str, Json] = {}
        for each in additions:
            headers |= each.headers
            fields |= each.fields
        kind, body = self._body.fill(variables, fields)
        url = next((each.url for each in additions if each.url is not None), None) or self._whole(variables, additions)
        return Asked(method=self._method, url=url, headers={**kind, **headers}, body=body)

    def _whole(self, variables: Variables, additions: Sequence[Addition]) -> str:
        values = {name: param.fill(variables) for name, param in self._params.items()}
        for each in additions:
            values |= each.params
        query = urlencode([pair for name, value in values.items() for pair in pairs(name, value, self._lists)])
        url = urljoin(self._base, text_of(self._url(variables)))
        return url + ("&" if "?" in url else "?") + query if query else url


@dataclass(frozen=True, slots=True, kw_only=True)
class Param:
    """One parameter. Empty text from a template means that there is nothing to say."""

    render: Rendering
    templated: bool

    @classmethod
    def of(cls, raw: Any, compile_: Compile) -> Self:
        return cls(render=rendering(raw, compile_), templated=is_template(raw))

    def fill(self, variables: Variables) -> Any:
        value = self.render(variables)
        return None if self.templated and value == "" else value


def pairs(name: str, value: Any, lists: str) -> Iterator[tuple[str, str]]:
    """The query's pairs for one parameter; none for null."""
    if isinstance(value, list | tuple):
        texts = [text_of(each) for each in value if each is not None]
        if lists == "comma":
            yield from [(name, ",".join(texts))] if texts else []
        else:
            yield from ((f"{name}[]" if lists == "brackets" else name, text) for text in texts)
    elif value is not None:
        yield name, text_of(value)


def text_of(value: Any) -> str:
    """As it stands in an address or a header: booleans in small letters."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping | list | tuple):
        return msgspec.json.encode(value).decode()
    return str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What is sent. ``kind``: json, form, text, or "" for nothing."""

    kind: str = ""
    render: Rendering = lambda _: None

    @classmethod
    def of(cls, options: Mapping[str, Any], compile_: Compile) -> Self:
        if "graphql" in options:
            given = options["graphql"]
            query, variables = given["query"], rendering(given.get("variables", {}), compile_)
            return cls(kind="json", render=lambda known: {"query": query, "variables": variables(known)})
        kind = next(iter(options), "")
        return cls(kind=kind, render=rendering(options.get(kind), compile_))

    def fill(self, variables: Variables, fields: Mapping[str, Json]) -> tuple[Mapping[str, str], bytes | None]:
        """The headers that tell its type, and its bytes."""
        if not self.kind and not fields:
            return {}, None
        value = self.render(variables)
        if self.kind == "text":
            return {}, text_of(value).encode()
        value = with_fields({} if value is None else value, fields)
        if self.kind == "form":
            return FORM_TYPE, urlencode(
                [pair for name, each in value.items() for pair in pairs(name, each, "")]
            ).encode()
        return JSON_TYPE, msgspec.json.encode(value)


def with_fields(value: Any, fields: Mapping[str, Json]) -> Any:
    """A copy in which those fields are set; what is missing on the way is made."""
    for path, each in fields.items():
        value = _with(value, path.split("."), each)
    return value


def _with(value: Any, names: Sequence[str], what: Json) -> Any:
    if not names:
        return what
    members = dict(value) if isinstance(value, Mapping) else {}
    return {**members, names[0]: _with(members.get(names[0]), names[1:], what)}
