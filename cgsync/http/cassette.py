"""Cassettes: what passed over the wire, kept without secrets in a file that people can read, and played back."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from cgsync.errors import SourceMisconfigured
from cgsync.http.limits import FAMILIES
from cgsync.http.messages import Request, Response, Wire
from cgsync.http.redaction import Redaction

Json: TypeAlias = "dict[str, Any]"

FORMAT = 1
OF_THE_MOMENT = frozenset(
    (
        *("connection", "content-encoding", "content-length", "keep-alive", "retry-after", "transfer-encoding"),
        *(name for family in FAMILIES for name in family),
    )
)
"""Headers that mean nothing when the answer is played back."""


@dataclass(slots=True, kw_only=True)
class Cassette:
    """Requests, each with its answers in the order in which they came. ``recorded_at`` is what `now` was."""

    recorded_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    exchanges: list[Json] = field(default_factory=list)

    @classmethod
    def load(cls, path: Path) -> Cassette:
        """Raises :class:`SourceMisconfigured` when the file is no cassette."""
        try:
            content = json.loads(path.read_bytes())
            if content["format"] != FORMAT:
                raise ValueError(f"its format is {content['format']!r}")
            exchanges = [{"request": each["request"], "response": each["response"]} for each in content["exchanges"]]
            return cls(recorded_at=datetime.fromisoformat(content["recorded_at"]), exchanges=exchanges)
        except OSError as error:
            raise SourceMisconfigured(f"{path} cannot be read: {error.strerror}") from None
        except (ValueError, KeyError, TypeError) as error:
            raise SourceMisconfigured(f"{path} is no cassette: {error}", hint="record it anew") from None

    def save(self, path: Path) -> None:
        """Write it, readable by its owner alone, whole or not at all."""
        content = {"format": FORMAT, "recorded_at": self.recorded_at.isoformat(), "exchanges": self.exchanges}
        fresh = path.with_name(path.name + ".new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
            json.dump(content, stream, indent=2, ensure_ascii=False)
            stream.write("\n")
        fresh.replace(path)


@dataclass(frozen=True, slots=True)
class Recording:
    """Keeps what passes. Given as ``wire=`` of :func:`cgsync.http.open_http`."""

    cassette: Cassette

    def __call__(self, wire: Wire, redaction: Redaction) -> Wire:
        return _Recorder(wire, redaction, self.cassette)


@dataclass(frozen=True, slots=True)
class Replaying:
    """Answers from the cassette; nothing goes to the network. Given as ``wire=`` of :func:`cgsync.http.open_http`."""

    cassette: Cassette

    def __call__(self, wire: Wire, redaction: Redaction) -> Wire:  # noqa: ARG002 - nothing goes over it
        return _Player(redaction, self.cassette)


class _Recorder:
    def __init__(self, wire: Wire, redaction: Redaction, cassette: Cassette) -> None:
        self._wire = wire
        self._redaction = redaction
        self._cassette = cassette

    async def exchange(self, request: Request) -> Response:
        response = await self._wire.exchange(request)
        shown = self._redaction.response(response, login=request.login)
        kept = {"request": _asked(self._redaction.request(request)), "response": _answered(shown)}
        self._cassette.exchanges.append(kept)
        return response


class _Player:
    def __init__(self, redaction: Redaction, cassette: Cassette) -> None:
        self._redaction = redaction
        self._answers: dict[str, list[Json]] = {}
        for each in cassette.exchanges:
            self._answers.setdefault(_key(each["request"]), []).append(each["response"])

    async def exchange(self, request: Request) -> Response:
        """The next recorded answer to it, the last one again and again."""
        asked = _asked(self._redaction.request(request))
        answers = self._answers.get(_key(asked))
        if not answers:
            raise SourceMisconfigured(f"the cassette holds no answer to {_named(asked)}", hint="record it anew")
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return _response(request, answer)


def _asked(request: Request) -> Json:
    asked: Json = {"method": request.method, "url": request.url}
    if request.login:
        return {**asked, "login": True}
    return asked if request.body is None else {**asked, **_content(request.body)}


def _answered(response: Response) -> Json:
    headers = {name: value for name, value in response.headers.items() if name.lower() not in OF_THE_MOMENT}
    return {"status": response.status, "headers": headers, **_content(response.body)}


def _response(request: Request, answer: Json) -> Response:
    from multidict import CIMultiDict  # of aiohttp's family: this is where a session is open

    url = urlunsplit(urlsplit(request.url)._replace(query="", fragment=""))
    headers: Mapping[str, str] = CIMultiDict(answer["headers"])
    return Response(url=url, status=answer["status"], headers=headers, body=_bytes(answer))


def _key(asked: Json) -> str:
    """The same for the same request, in whatever order its parameters and fields stand."""
    parts = urlsplit(asked["url"])
    query = sorted(parse_qsl(parts.query, keep_blank_values=True))
    content = {kind: asked[kind] for kind in ("json", "text", "base64", "login") if kind in asked}
    return json.dumps([asked["method"], parts._replace(query="").geturl(), query, content], sort_keys=True)


def _named(asked: Json) -> str:
    body = _bytes(asked)[:200].decode("utf-8", "replace")
    return f"{asked['method']} {asked['url']}{f' with {body}' if body else ''}"


def _content(body: bytes) -> Json:
    """JSON as JSON, text as text, all else in base64: each gives the same values back."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}
    try:
        return {"json": _same(text)}
    except (ValueError, RecursionError):
        return {"text": text} if text else {}


def _same(text: str) -> Any:
    """The document, if it survives being written again; else ``ValueError``: it is itself what a test is about."""
    document = json.loads(text)
    again = json.dumps(document, allow_nan=False)
    if _exactly(text) != _exactly(again):
        raise ValueError("not the same")
    return document


def _exactly(text: str) -> Any:
    return json.loads(text, parse_float=Decimal, object_pairs_hook=tuple)


def _bytes(content: Json) -> bytes:
    if "json" in content:
        return json.dumps(content["json"], ensure_ascii=False, separators=(",", ":")).encode()
    return base64.b64decode(content["base64"]) if "base64" in content else str(content.get("text", "")).encode()
