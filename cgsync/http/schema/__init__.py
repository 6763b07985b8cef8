"""The options of every plugin that speaks HTTP as JSON Schema, so that their YAML is the same everywhere."""

from __future__ import annotations

from typing import Any

from cgsync.http.schema.auth import AUTH_SCHEMA
from cgsync.http.schema.connection import LIMITS, PROXY, REDIRECTS, TIMEOUT, TLS
from cgsync.http.schema.terms import FILE, SIZE, TEXT, TEXTS
from cgsync.http.schema.traffic import CIRCUIT, RATE_LIMIT, RETRY

__all__ = ["AUTH_SCHEMA", "HTTP_PROPERTIES"]

TRACE: dict[str, Any] = {
    "description": "A log of all that goes over the wire, without secrets: its path, or file with size and keep.",
    "type": ["string", "object"],
    "if": {"type": "string"},
    "then": FILE,
    "else": {
        "required": ["file"],
        "additionalProperties": False,
        "properties": {
            "file": {**FILE, "description": "The path."},
            "size": {**SIZE, "default": "10MiB", "description": "From which on a new file is begun."},
            "keep": {
                "type": "integer",
                "minimum": 0,
                "maximum": 100,
                "default": 3,
                "description": "Full files that are kept.",
            },
        },
    },
}

HTTP_PROPERTIES: dict[str, Any] = {
    "auth": AUTH_SCHEMA,
    "headers": {**TEXTS, "default": {}, "description": "Sent with each request to the API's own host and port."},
    "timeout": TIMEOUT,
    "redirects": REDIRECTS,
    "proxy": PROXY,
    "tls": TLS,
    "user_agent": {**TEXT, "default": "cgsync", "description": "How we call ourselves."},
    "limits": LIMITS,
    "rate_limit": RATE_LIMIT,
    "retry": RETRY,
    "circuit": CIRCUIT,
    "trace": TRACE,
    "allow_insecure": {
        "type": "boolean",
        "default": False,
        "description": "true: http:// to other machines, and verify: false, are meant.",
    },
}
