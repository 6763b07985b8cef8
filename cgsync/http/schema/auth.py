"""The option ``auth``: the ways to show who we are."""

from __future__ import annotations

from typing import Any

from cgsync.http.schema.terms import FILE, SECRET, TEXT, options
from cgsync.http.schema.tokens import JWT, OAUTH2, SESSION

BASIC = options(
    "HTTP basic authentication.",
    required=("username", "password"),
    properties={
        "username": {"type": "string", "description": "A name, or the key where an API wants it here."},
        "password": {"type": "string", "x-secret": True, "description": "May be empty."},
    },
)
BEARER = {
    **options(
        "A token in the header Authorization.",
        properties={
            "token": {**SECRET, "description": "The token."},
            "token_file": {**FILE, "description": "The path of a file that holds it; read again when it changes."},
        },
    ),
    "minProperties": 1,
    "maxProperties": 1,
}
API_KEY = options(
    "A key under a name of the API's choice.",
    required=("name", "value"),
    properties={
        "name": {**TEXT, "description": "Of the header, the parameter or the field: X-API-Key."},
        "value": {**SECRET, "description": "The key."},
        "in": {"enum": ["header", "query", "body"], "default": "header", "description": "Where it goes."},
    },
)

AUTH_SCHEMA: dict[str, Any] = {
    **options(
        "How we show who we are; sent to the API's own scheme, host and port alone. One of these:",
        properties={
            "basic": BASIC,
            "bearer": BEARER,
            "api_key": API_KEY,
            "oauth2": OAUTH2,
            "session": SESSION,
            "jwt": JWT,
        },
    ),
    "minProperties": 1,
    "maxProperties": 1,
}
