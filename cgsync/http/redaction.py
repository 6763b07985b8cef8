"""What may be shown of a request and an answer: all but the secrets, in whatever way they are written."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, urlencode, urlsplit, urlunsplit

from cgsync.http.messages import Request, Response
from cgsync.secrets import MASK, SHORTEST, Redactor, Secret

HEADERS = frozenset(("authorization", "proxy-authorization", "cookie", "set-cookie"))
SUSPECT = re.compile(r"(?i)(.*[^a-z])?(api|access|app)?(key|token|secret|password|signature|auth)")
"""Names of headers whose values are secrets, whoever put them there."""
PARAMETER = re.compile(
    r"(?i)(api|access|app|auth|client|private|refresh|session)[-_]?(key|token|secret)|"
    r"key|secret|password|passwd|pwd|sig|signature"
)
"""The same for parameters; a token alone is more often that of the next page."""
SHOWN_OF_LOGIN = frozenset(("token_type", "scope", "expires_in"))
HEADERS_OF_LOGIN = frozenset(("accept", "content-length", "content-type", "date", "host", "server", "user-agent"))
MOST = 400
"""Forms of secrets of a session's own that are remembered: some renew theirs every minute, for years."""


class Redaction:
    """Knows the secrets of one session: those of the whole program, and what the session itself put in."""

    def __init__(self, redactor: Redactor | None = None) -> None:
        self._shared = redactor or Redactor()
        self._own: dict[str, None] = {}
        self._names: set[str] = set()

    def conceal(self, value: str | Secret, *, name: str = "") -> None:
        """From now on mask that value as it is, quoted for a URL and in JSON, and whatever stands under ``name``."""
        text = value.reveal() if isinstance(value, Secret) else value
        if len(text) >= SHORTEST:
            for form in (text, quote(text, safe=""), quote_plus(text), json.dumps(text)[1:-1]):
                self._own[form] = self._own.pop(form, None)
        for form in list(self._own)[:-MOST]:
            del self._own[form]
        if name:
            self._names.add(name.lower())

    def publish(self, value: str) -> None:
        """Mask it in the logs of the whole program, too."""
        self._shared.add(value)
        self.conceal(value)

    def notice(self, request: Request) -> None:
        """Conceal what stands under a name of secrets, so that an echo of it is masked, too."""
        for name, value in request.headers.items():
            if self._is_header(name):
                self.conceal(value)
                self.conceal(re.split("[ =]", value, maxsplit=1)[-1])  # behind Bearer, or the name of a cookie
        for name, value in parse_qsl(urlsplit(request.url).query):
            if self._is_parameter(name):
                self.conceal(value)

    def __call__(self, text: str) -> str:
        return self._shared(text, *(form for form in self._own if form in text))

    def request(self, request: Request) -> Request:
        """As it may be shown; of a login, no body."""
        body = request.body and (MASK.encode() if request.login else self._body(request.body))
        headers = self.headers(request.headers, login=request.login)
        return replace(request, url=self.url(request.url), headers=headers, body=body)

    def response(self, response: Response, *, login: bool) -> Response:
        """As it may be shown; of a login, only the shape and the numbers."""
        body = _issued(response.body) if login else self._body(response.body)
        return replace(response, headers=self.headers(response.headers, login=login), body=body)

    def url(self, url: str) -> str:
        """Without user and password, with the values of secret parameters masked."""
        parts = urlsplit(url)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        if any(self._is_parameter(name) for name, _ in pairs):
            query = urlencode([(name, MASK if self._is_parameter(name) else value) for name, value in pairs], safe="*")
            parts = parts._replace(query=query)
        return self(urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])))

    def headers(self, headers: Mapping[str, str], *, login: bool = False) -> dict[str, str]:
        """With those masked that hold a credential; of a login, all but those that never do."""
        return {
            name: MASK if (login and name.lower() not in HEADERS_OF_LOGIN) or self._is_header(name) else self(value)
            for name, value in headers.items()
        }

    def _is_header(self, name: str) -> bool:
        return name.lower() in HEADERS | self._names or SUSPECT.fullmatch(name) is not None

    def _is_parameter(self, name: str) -> bool:
        return name.lower() in self._names or PARAMETER.fullmatch(name) is not None

    def _body(self, body: bytes) -> bytes:
        for encoding in ("utf-8", "latin-1"):  # the second one reads any bytes
            try:
                return self(body.decode(encoding)).encode(encoding)
            except UnicodeDecodeError:
                continue
        return body


def _issued(body: bytes) -> bytes:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return MASK.encode()
    return json.dumps(_masked(document)).encode()


def _masked(node: Any, name: str = "") -> Any:
    """Without a refresh token, so that whoever replays it has nothing to keep."""
    if isinstance(node, dict):
        return {key: _masked(each, key) for key, each in node.items() if key != "refresh_token"}
    if isinstance(node, list):
        return [_masked(each) for each in node]
    return MASK if isinstance(node, str) and name not in SHOWN_OF_LOGIN else node
