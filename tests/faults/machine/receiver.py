"""The API in our hand: it answers as told, applies late, loses answers, and keeps a numbered log of what it applied."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from cgsync.delivery import Admit, Answer, Broken, Kind
from cgsync.http import Request, Response, Tokens
from cgsync.http.limits import Headers

BAD = "BAD"
"""How the account of an activity begins that this API refuses whatever the weather."""
REQUEST_LIMIT = 30.0
TOKEN = "canary-token"
ERRORS = b'{"message": "no", "errors": {"account": ["is unknown"]}}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One way to answer: what the sender sees, and what the API did. ``late``: seconds until it applies all the same.

    ``effect`` is what must follow: pass, refuse, pause, throttle, fail (counted) or spare (not counted).
    """

    effect: str
    status: int = 0
    body: bytes = b'{"message": "so it is"}'
    headers: Mapping[str, str] = field(default_factory=dict)
    broken: Kind | None = None
    applies: bool = False
    late: float | None = None
    after: float | None = None
    """seconds that it asks us to wait"""
    too_large: bool = False

    @property
    def before_admission(self) -> bool:
        return self.broken in {Kind.DNS, Kind.REFUSED, Kind.TLS, Kind.CERTIFICATE}


REPLIES: Mapping[str, Reply] = {
    "ok": Reply(effect="pass", status=200, body=b'{"data": {"id": 7}}', applies=True),
    "201": Reply(effect="pass", status=201, body=b'{"data": {"id": 7}}', applies=True),
    "html": Reply(effect="fail", status=200, body=b"<html>welcome</html>"),
    "empty 200": Reply(effect="fail", status=200, body=b""),
    "other shape, applied": Reply(effect="fail", status=200, body=b'{"data": 1}', applies=True),
    "too large, applied": Reply(effect="fail", status=200, body=b"", too_large=True, applies=True),
    "301": Reply(effect="pause", status=301, headers={"location": "https://elsewhere.example"}),
    "400": Reply(effect="refuse", status=400, body=ERRORS),
    "404 with errors": Reply(effect="refuse", status=404, body=ERRORS),
    "409": Reply(effect="refuse", status=409),
    "413": Reply(effect="refuse", status=413),
    "415": Reply(effect="refuse", status=415),
    "422": Reply(effect="refuse", status=422, body=ERRORS),
    "403": Reply(effect="pause", status=403),
    "404": Reply(effect="pause", status=404, body=b"nothing here"),
    "418": Reply(effect="pause", status=418),
    "429": Reply(effect="throttle", status=429),
    "429, 0 s": Reply(effect="throttle", status=429, headers={"retry-after": "0"}, after=0.0),
    "429, 20 s": Reply(effect="throttle", status=429, headers={"retry-after": "20"}, after=20.0),
    "429, by date": Reply(
        effect="throttle",
        status=429,
        headers={"date": "Wed, 04 Mar 2026 03:00:00 GMT", "retry-after": "Wed, 04 Mar 2026 03:01:30 GMT"},
        after=90.0,
    ),
    "429, huge": Reply(effect="throttle", status=429, headers={"retry-after": "1000000"}, after=3600.0),
    "429, garbage": Reply(effect="throttle", status=429, headers={"retry-after": "soon"}),
    "408": Reply(effect="fail", status=408),
    "425": Reply(effect="fail", status=425),
    "500": Reply(effect="fail", status=500),
    "503, 40 s": Reply(effect="fail", status=503, headers={"retry-after": "40"}, after=40.0),
    "504, applied": Reply(effect="fail", status=504, applies=True),
    "504, applied late": Reply(effect="fail", status=504, late=100.0),
    "reset": Reply(effect="fail", broken=Kind.RESET),
    "reset, applied": Reply(effect="fail", broken=Kind.RESET, applies=True),
    "reset, applied soon": Reply(effect="fail", broken=Kind.RESET, late=2.0),
    "reset, applied late": Reply(effect="fail", broken=Kind.RESET, late=115.0),
    "timeout": Reply(effect="fail", broken=Kind.TIMEOUT),
    "timeout, applied late": Reply(effect="fail", broken=Kind.TIMEOUT, late=60.0),
    "not HTTP": Reply(effect="fail", broken=Kind.PROTOCOL),
    "dns": Reply(effect="spare", broken=Kind.DNS),
    "refused connection": Reply(effect="spare", broken=Kind.REFUSED),
    "tls": Reply(effect="spare", broken=Kind.TLS),
    "certificate": Reply(effect="pause", broken=Kind.CERTIFICATE),
}
"""Every row of the table of answers."""
UNAUTHORIZED = Reply(effect="pause", status=401)
KINDS = sorted(REPLIES)
ON_THE_WIRE = [kind for kind in KINDS if not REPLIES[kind].before_admission]


def sorts(kinds: Sequence[str]) -> list[list[str]]:
    """Those of a sort together: of what follows from them, and whether they look like a success."""
    found: dict[tuple[str, bool], list[str]] = {}
    for kind in kinds:
        found.setdefault((REPLIES[kind].effect, 200 <= REPLIES[kind].status < 300), []).append(kind)
    return list(found.values())


TOKEN_TROUBLES: Mapping[str, tuple[int, Headers, bytes]] = {
    "oauth error": (401, {}, b'{"error": "invalid_client", "error_description": "not canary-secret"}'),
    "429": (429, {"retry-after": "15"}, b""),
    "503": (503, {}, b""),
}
HOLD = "hold"
"""No answer before the machine gives one, or before the time is over."""


@dataclass(eq=False, slots=True)
class Put:
    """One request that put its first byte on the wire."""

    number: int
    owner: object
    """the process that sent it"""
    at: float
    reference: str
    body: bytes
    account: str
    token: str
    generation: int
    answer: asyncio.Future[Answer]
    applied: bool = False


@dataclass(frozen=True, slots=True)
class Applied:
    """One line of the log: the judge's evidence."""

    number: int
    at: float
    reference: str
    body: bytes


class Witness(Protocol):
    """Who watches the API."""

    def sent(self, put: Put) -> None: ...
    def answered(self, put: Put, reply: Reply) -> None: ...
    def applied(self, line: Applied) -> None: ...
    def spared(self, owner: object, reference: str) -> None: ...
    def asked_for_token(self, owner: object) -> None: ...
    def answered_token(self, owner: object, token: str | None, life: float) -> None: ...


class Api:
    """The other side."""

    def __init__(self, loop: asyncio.AbstractEventLoop, witness: Witness) -> None:
        self._loop = loop
        self.witness = witness
        self.mood = "ok"
        self.script: list[str] = []
        """how the next ones are answered, before the mood counts"""
        self.open: list[Put] = []
        self.log: list[Applied] = []
        self.puts = 0
        self.tokens = 0
        self.valid: set[str] = set()
        self.token_mood = "ok"
        self.token_life = 3600.0
        self.kinds: Counter[str] = Counter()

    # What the wire asks of it.

    async def put(self, owner: object, token: str, generation: int, body: bytes, admit: Admit) -> Answer:
        kind = self.script.pop(0) if self.script else self.mood
        if kind != HOLD and REPLIES[kind].before_admission:
            self.kinds[kind] += 1
            if REPLIES[kind].effect == "spare":
                self.witness.spared(owner, reference_of(body))
            raise self._break(REPLIES[kind], sent=False)
        await admit()
        content = msgspec.json.decode(body)
        self.puts += 1
        put = Put(
            number=self.puts,
            owner=owner,
            at=self._loop.time(),
            reference=content.get("reference", ""),
            body=body,
            account=content.get("account", ""),
            token=token,
            generation=generation,
            answer=self._loop.create_future(),
        )
        self.witness.sent(put)
        self.open.append(put)
        if kind != HOLD:
            self._loop.call_soon(self.reply, put, kind)
        timer = self._loop.call_later(REQUEST_LIMIT, self.reply, put, "timeout")
        try:
            return await put.answer
        finally:
            timer.cancel()

    async def issue(self, owner: object) -> tuple[int, Headers, bytes]:
        """The token endpoint."""
        self.witness.asked_for_token(owner)
        await asyncio.sleep(0.001)
        if self.token_mood != "ok":
            self.witness.answered_token(owner, None, 0.0)
            return TOKEN_TROUBLES[self.token_mood]
        self.tokens += 1
        token = f"{TOKEN}-{self.tokens}"
        self.valid.add(token)
        self.witness.answered_token(owner, token, self.token_life)
        return 200, {}, msgspec.json.encode({"access_token": token, "expires_in": self.token_life})

    # What the machine does with it.

    def reply(self, put: Put, kind: str) -> None:
        """Answer one request in that way."""
        if put not in self.open:
            return
        self.open.remove(put)
        reply = self._fair(put, REPLIES[kind])
        self.kinds["401" if reply is UNAUTHORIZED else kind] += 1
        if reply.applies:
            self.apply(put)
        if reply.late is not None:
            self._loop.call_later(reply.late, self.apply, put)
        self.witness.answered(put, reply)
        if put.answer.done():
            return
        if reply.broken is not None:
            put.answer.set_exception(self._break(reply, sent=True))
            return
        put.answer.set_result(
            Answer(
                status=reply.status,
                headers=reply.headers,
                body=reply.body,
                generation=put.generation,
                too_large=reply.too_large,
            )
        )

    def abandon(self, owner: object, late: float | None) -> None:
        """That process is gone: its requests are executed after ``late`` seconds, or never."""
        for put in [put for put in self.open if put.owner is owner]:
            self.open.remove(put)
            if late is not None:
                self._loop.call_later(late, self.apply, put)

    def apply(self, put: Put) -> None:
        """Execute it, once, if it may be."""
        if put.applied or put.account.startswith(BAD):
            return
        put.applied = True
        self.log.append(line := Applied(len(self.log) + 1, self._loop.time(), put.reference, put.body))
        self.witness.applied(line)

    def expire(self) -> None:
        """No token that was issued so far is good any more."""
        self.valid.clear()

    def heal(self) -> None:
        self.mood, self.token_mood = "ok", "ok"
        self.script.clear()

    def _fair(self, put: Put, reply: Reply) -> Reply:
        """What a real API could answer: nothing good without a token, nor to what it refuses."""
        if put.token not in self.valid and reply.broken is None:
            return UNAUTHORIZED
        if reply.effect == "pass" and put.account.startswith(BAD):
            return REPLIES["422"]
        return reply

    def _break(self, reply: Reply, *, sent: bool) -> Broken:
        assert reply.broken is not None
        return Broken(reply.broken, f"receiver.example: {reply.broken.value}", sent=sent)


class HandLine:
    """A :class:`cgsync.http.Wire` to the fake token endpoint."""

    def __init__(self, api: Api, owner: object) -> None:
        self._api = api
        self._owner = owner

    async def exchange(self, request: Request) -> Response:
        status, headers, body = await self._api.issue(self._owner)
        return Response(url=request.url, status=status, headers=headers, body=body)


class HandWire:
    """A :class:`cgsync.delivery.Transport` into the fake API."""

    def __init__(self, api: Api, tokens: Tokens, owner: object, alive: Callable[[], bool]) -> None:
        self._api = api
        self._tokens = tokens
        self._owner = owner
        self._alive = alive

    @property
    def generation(self) -> int:
        return self._tokens.generation

    def renew(self, generation: int) -> None:
        self._tokens.invalidate(generation)

    async def check(self) -> str:
        await self._tokens.credential()
        return "a token was issued"

    async def put(self, body: bytes, admit: Admit) -> Answer:
        try:
            credential = await self._tokens.credential()
        except Broken as broken:
            if broken.kind is Kind.LOGIN_DOWN:
                self._api.witness.spared(self._owner, reference_of(body))
            raise
        if not self._alive():
            raise asyncio.CancelledError
        token = credential.value.reveal().partition(" ")[2]
        return await self._api.put(self._owner, token, credential.generation, body, admit)


def reference_of(body: bytes) -> str:
    return str(msgspec.json.decode(body).get("reference", ""))


def account_of(body: bytes) -> Any:
    """What the activities of this machine differ in."""
    return msgspec.json.decode(body)["account"]
