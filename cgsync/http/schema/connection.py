"""How the API is reached, and what one answer may take: time, bytes, certificates, redirects, a proxy."""

from __future__ import annotations

from typing import Any

from cgsync.http.schema.terms import DURATION, FILE, SIZE, options

TIMEOUT: dict[str, Any] = {
    **options(
        "How long things may take.",
        properties={
            "connect": {**DURATION, "default": "10s", "description": "Until there is a connection."},
            "read": {**DURATION, "default": "30s", "description": "Between two pieces of an answer."},
            "total": {**DURATION, "default": "1m", "description": "From the first byte sent to the last received."},
        },
    ),
    "default": {},
}
REDIRECTS: dict[str, Any] = {
    "enum": ["none", "same_host"],
    "default": "same_host",
    "description": "Which redirects of a GET are followed; same_host: the same scheme, host and port.",
}
PROXY: dict[str, Any] = {
    "type": "string",
    "pattern": "^https?://",
    "x-secret": True,
    "description": "http://proxy.example:3128, with user:password@ where it wants that.",
}
TLS: dict[str, Any] = {
    **options(
        "Certificates.",
        properties={
            "ca": {**FILE, "description": "The path of those that we trust, instead of the system's."},
            "cert": {**FILE, "description": "The path of our own certificate."},
            "key": {**FILE, "description": "The path of its key, if that is apart."},
            "verify": {
                "type": "boolean",
                "default": True,
                "description": "false: trust whoever answers; needs allow_insecure.",
            },
        },
    ),
    "default": {},
    "dependentRequired": {"key": ["cert"]},
}
LIMITS: dict[str, Any] = {
    **options(
        "Caps on one answer.",
        properties={
            "response": {**SIZE, "default": "64MiB", "description": "Bytes of it, as they come."},
            "decompressed": {**SIZE, "default": "256MiB", "description": "Bytes of it, expanded."},
        },
    ),
    "default": {},
}
