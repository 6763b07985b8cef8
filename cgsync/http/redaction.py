"""What may be shown of a request and an answer: all but the secrets, in whatever way they are written."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, urlencode, urlsplit, urlunsplit

from cgsync.http.messages import Request, Response
from cgsync.secrets import MASK, Redactor, Secret

HEADERS = frozenset(("authorization", "proxy-authorization", "cookie", "set-cookie"))
SUSPECT = re.compile(r"(?i)(^|[^a-z])(api|access|app)?[-_]?(key|token|secret|password|passwd|signature|sig|auth)s?$")
"""Names of headers and parameters whose values are secrets, whoever put them there."""
SHOWN_OF_LOGIN = frozenset(("token_type", "scope", "grant_type"))


class Redaction:
    """Knows the secrets of one session: those of the whole program, and what the session itself put in."""

    def __init__(self, redactor: Redactor | None = None) -> None:
        self._shared = redactor or Redactor()
        self._own = Redactor()
        self._names: set[str] = set()

    def conceal(self, value: str | Secret, *, name: str = "") -> None:
        """From now on mask that value as it is, quoted for a URL and in JSON, and whatever stands under ``name``."""
        text = value.reveal() if isinstance(value, Secret) else value
        self._shared.add(text)
        for form in (text, quote(text, safe=""), quote_plus(text), json.dumps(text)[1:-1]):
            self._own.add(form)
        if name:
            self._names.add(name.lower())

    def __call__(self, text: str) -> str:
        return self._shared(self._own(text))

    def request(self, request: Request) -> Request:
        """As it may be shown."""
        return replace(
            request, url=self.url(request.url), headers=self.headers(request.headers), body=self._sent(request)
        )

    def response(self, response: Response, *, login: bool) -> Response:
        """As it may be shown; of a login, only the shape and the numbers."""
        body = self._issued(response.body) if login else self._body(response.body)
        return replace(response, headers=self.headers(response.headers), body=body)

    def url(self, url: str) -> str:
        """Without user and password, with the values of secret parameters masked."""
        parts = urlsplit(url)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        if any(self._is_secret(name) for name, _ in pairs):
            query = urlencode([(name, MASK if self._is_secret(name) else value) for name, value in pairs], safe="*")
            parts = parts._replace(query=query)
        return self(urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])))

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """With those masked that hold a credential."""
        return {
            name: MASK if name.lower() in HEADERS or self._is_secret(name) else self(value)
            for name, value in headers.items()
        }

    def _is_secret(self, name: str) -> bool:
        return name.lower() in self._names or SUSPECT.search(name) is not None

    def _sent(self, request: Request) -> bytes | None:
        if request.body is None:
            return None
        return MASK.encode() if request.login else self._body(request.body)

    def _body(self, body: bytes) -> bytes:
        try:
            text = body.decode()
        except UnicodeDecodeError:
            return body
        masked = self(text)
        return body if masked == text else masked.encode()

    def _issued(self, body: bytes) -> bytes:
        try:
            document = json.loads(body)
        except ValueError:
            return MASK.encode()
        return json.dumps(_masked(document)).encode()


def _masked(node: Any, name: str = "") -> Any:
    """Without a refresh token, so that whoever replays it has nothing to keep."""
    if isinstance(node, dict):
        return {key: _masked(each, key) for key, each in node.items() if key != "refresh_token"}
    if isinstance(node, list):
        return [_masked(each) for each in node]
    return MASK if isinstance(node, str) and name not in SHOWN_OF_LOGIN else node
