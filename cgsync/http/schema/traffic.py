"""How much is asked of an API, and what follows when it fails: the ceiling, the retries, the circuit."""

from __future__ import annotations

from typing import Any

from cgsync.http.schema.terms import DURATION, RATE, TEXT, options

RATE_LIMIT: dict[str, Any] = {
    "description": "A ceiling: 50/m, or rate or budget with early_limit.",
    "default": "10/s",
    "type": ["string", "object"],
    "if": {"type": "string"},
    "then": RATE,
    "else": {
        "properties": {
            "rate": {**RATE, "description": "Requests per second, minute, hour or day: 5/s, 50/m, 1000/h."},
            "budget": {**TEXT, "description": "One of budgets:, shared with the other sources that name it."},
            "early_limit": {
                "type": "number",
                "minimum": 0,
                "maximum": 1,
                "default": 0.2,
                "description": "The share of the API's own quota below which we slow down.",
            },
        },
        "oneOf": [{"required": ["rate"]}, {"required": ["budget"]}],
        "additionalProperties": False,
    },
}
RETRY: dict[str, Any] = {
    **options(
        "How often a passing failure is tried again at once; after that the source waits and is polled anew.",
        properties={
            "attempts": {
                "type": "integer",
                "minimum": 1,
                "maximum": 100,
                "default": 5,
                "description": "Requests in all; 1: none is repeated.",
            },
            "time": {**DURATION, "default": "30s", "description": "Of waiting in all, at most 30s."},
            "backoff": {**DURATION, "default": "1s", "description": "The first wait; each further one doubles."},
            "max": {**DURATION, "default": "30s", "description": "The longest single wait."},
            "jitter": {"type": "boolean", "default": True, "description": "Wait a random part of that time."},
        },
    ),
    "default": {},
}
CIRCUIT: dict[str, Any] = {
    **options(
        "After failures in a row, the host is left alone for a while.",
        properties={
            "failures": {"type": "integer", "minimum": 1, "default": 10, "description": "In a row."},
            "pause": {**DURATION, "default": "1m", "description": "How long it is then left alone."},
        },
    ),
    "default": {},
}
