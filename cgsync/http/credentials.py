"""Puts a credential into a request: a header, a parameter, or a field of the body."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

from cgsync.errors import SourceMisconfigured
from cgsync.http.auth import Credential
from cgsync.http.messages import Request

FORM = "application/x-www-form-urlencoded"
ELSEWHERE = frozenset(
    ("accept", "accept-language", "content-type", "if-match", "if-none-match", "if-modified-since", "prefer", "range")
)
"""Headers of the caller's own that may go to another origin: none of them ever holds a key."""


def signed(request: Request, credential: Credential) -> Request:
    """The request with the credential in it; a header that the caller has set himself stays."""
    value = credential.value.reveal()
    if credential.place == "header":
        return replace(request, headers=overlaid({credential.name: value}, request.headers))
    if credential.place == "query":
        return replace(request, url=_with_parameter(request.url, credential.name, value))
    return _with_field(request, credential.name, value)


def overlaid(*layers: Mapping[str, str]) -> dict[str, str]:
    """Headers of which the later ones replace the earlier, however they are spelt."""
    names: dict[str, str] = {}
    values: dict[str, str] = {}
    for name, value in ((name, value) for layer in layers for name, value in layer.items()):
        values.pop(names.pop(name.lower(), ""), None)
        names[name.lower()], values[name] = name, value
    return values


def harmless(headers: Mapping[str, str]) -> dict[str, str]:
    """Those that may go to any origin."""
    return {name: value for name, value in headers.items() if name.lower() in ELSEWHERE}


def _with_parameter(url: str, name: str, value: str) -> str:
    from yarl import URL

    return str(URL(url).update_query({name: value}))


def _with_field(request: Request, name: str, value: str) -> Request:
    kind = next((each for key, each in request.headers.items() if key.lower() == "content-type"), "")
    if request.body and "json" in kind:
        document = json.loads(request.body)
        if not isinstance(document, dict):
            raise SourceMisconfigured(f"a body that is a list has no place for {name}", hint="send it as a header")
        return replace(request, body=json.dumps({**document, name: value}).encode())
    if request.body and FORM not in kind:
        raise SourceMisconfigured(f"a body of {kind or 'no content type'} has no place for {name}")
    fields = [*parse_qsl((request.body or b"").decode(), keep_blank_values=True), (name, value)]
    headers = overlaid(request.headers, {"Content-Type": FORM})
    return replace(request, body=urlencode(fields).encode(), headers=headers)
