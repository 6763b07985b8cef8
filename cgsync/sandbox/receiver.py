"""The one call of the API, without HTTP: who asks, what is sent, what is kept, what is answered."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from cgsync.sandbox.limit import RateLimit
from cgsync.sandbox.reply import Reply
from cgsync.sandbox.rules import violations
from cgsync.sandbox.store import Activity, Store
from cgsync.sandbox.tokens import Tokens

UNAUTHENTICATED = Reply.of(401, {"message": "Unauthenticated."}, {"WWW-Authenticate": "Bearer"})
NOT_JSON_TYPE = Reply.of(415, {"message": "The Content-Type must be application/json."})
NOT_JSON = Reply.of(400, {"message": "The request body is not a JSON object."})
TOO_LARGE = Reply.of(413, {"message": "The request body is too large."})
INVALID = "The given data was invalid."

_decode = msgspec.json.Decoder().decode


class Receiver:
    """Answers PUTs and notes each of them in the store. ``wall`` gives epoch seconds."""

    def __init__(
        self, store: Store, tokens: Tokens, limit: RateLimit | None, *, wall: Callable[[], float] = time.time
    ) -> None:
        self._store, self._tokens, self._limit, self._wall = store, tokens, limit, wall

    def put(self, headers: Mapping[str, str], body: bytes) -> Reply:
        """Apply or refuse one activity."""
        refusal = self._refusal(headers)
        if refusal is not None:
            outcome = "limited" if refusal.status == 429 else "unauthenticated"
            return self._refuse(refusal, outcome, body)
        if not headers.get("Content-Type", "").lower().startswith("application/json"):
            return self._refuse(NOT_JSON_TYPE, "refused", body)
        fields = read(body)
        return self._refuse(NOT_JSON, "refused", body) if fields is None else self._judge(fields, body)

    def refuse(self, reply: Reply, outcome: str, body: bytes) -> Reply:
        """Note an answer that something else decided: a limit of the server, a fault of the script."""
        return self._refuse(reply, outcome, body, read(body))

    def _refusal(self, headers: Mapping[str, str]) -> Reply | None:
        if not self._tokens.accepts(headers.get("Authorization", "")):
            return UNAUTHENTICATED
        return self._limit.refusal() if self._limit else None

    def _judge(self, fields: Mapping[str, Any], body: bytes) -> Reply:
        wrong = violations(fields)
        if wrong:
            return self._refuse(Reply.of(422, {"message": INVALID, "errors": wrong}), "refused", body, fields, wrong)
        at = self._wall()
        activity = self._store.apply(fields, body, at)
        status, outcome = (201, "created") if activity.puts == 1 else (200, "updated")
        self._store.note(
            at=at,
            status=status,
            outcome=outcome,
            body=body,
            applied=True,
            reference=activity.reference,
            account=activity.account,
        )
        return Reply.of(status, {"data": _receipt(activity)}, self._limit.headers() if self._limit else None)

    def _refuse(
        self,
        reply: Reply,
        outcome: str,
        body: bytes,
        fields: Mapping[str, Any] | None = None,
        errors: Mapping[str, Any] | None = None,
    ) -> Reply:
        reference, account = _text(fields, "reference"), _text(fields, "account")
        self._store.note(
            at=self._wall(),
            status=reply.status,
            outcome=outcome,
            body=body,
            reference=reference,
            account=account,
            errors=errors,
        )
        return reply


def read(body: bytes) -> dict[str, Any] | None:
    """The JSON object in ``body``, or ``None``."""
    try:
        value = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _receipt(activity: Activity) -> dict[str, Any]:
    return {
        "id": activity.id,
        "reference": activity.reference,
        "classification_id": activity.classification_id,
        "account_id": activity.account_id,
        "contact_id": activity.contact_id,
    }


def _text(fields: Mapping[str, Any] | None, name: str) -> str | None:
    value = fields.get(name) if fields else None
    return value if isinstance(value, str) else None
