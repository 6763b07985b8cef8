"""The options of every plugin that speaks HTTP as JSON Schema, so that their YAML is the same everywhere."""

from __future__ import annotations

from typing import Any

DURATION = {"$ref": "cgsync:duration"}
SIZE = {"$ref": "cgsync:size"}
TEXT = {"type": "string", "minLength": 1}
SECRET = {"type": "string", "minLength": 1, "x-secret": True}
FILE = {"type": "string", "pattern": "^/"}
TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
URL = {"type": "string", "pattern": "^https?://"}
RATE = {"type": "string", "pattern": r"^[0-9]{1,6}(\.[0-9]{1,3})?/[smhd]$"}
ALGORITHMS = (
    *("HS256", "HS384", "HS512", "RS256", "RS384", "RS512"),
    *("PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"),
)


def _options(description: str, *, required: tuple[str, ...] = (), properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "required": list(required),
        "additionalProperties": False,
        "properties": properties,
    }


BASIC = _options(
    "HTTP basic authentication.",
    required=("username", "password"),
    properties={
        "username": {"type": "string", "description": "A name, or the key where an API wants it here."},
        "password": {"type": "string", "x-secret": True, "description": "May be empty."},
    },
)
BEARER = {
    **_options(
        "A token in the header Authorization.",
        properties={
            "token": {**SECRET, "description": "The token."},
            "token_file": {**FILE, "description": "The path of a file that holds it; read again when it changes."},
        },
    ),
    "minProperties": 1,
    "maxProperties": 1,
}
API_KEY = _options(
    "A key under a name of the API's choice.",
    required=("name", "value"),
    properties={
        "name": {**TEXT, "description": "Of the header, the parameter or the field: X-API-Key."},
        "value": {**SECRET, "description": "The key."},
        "in": {"enum": ["header", "query", "body"], "default": "header", "description": "Where it goes."},
    },
)
OAUTH2 = _options(
    "Tokens from an OAuth2 endpoint, renewed before they end.",
    required=("token_url", "client_id"),
    properties={
        "grant": {
            "enum": ["client_credentials", "refresh_token"],
            "default": "client_credentials",
            "description": "Which of the flows without a person.",
        },
        "token_url": {**URL, "description": "The token endpoint."},
        "client_id": {**TEXT, "description": "Of the application that was registered."},
        "client_secret": {**SECRET, "description": "For client_auth basic and post."},
        "refresh_token": {**SECRET, "description": "The first one; what takes its place is remembered."},
        "scopes": {
            "type": ["string", "array"],
            "items": TEXT,
            "description": "What the token is for: a text, or a list.",
        },
        "audience": {**TEXT, "description": "Sent along, where the endpoint wants it."},
        "client_auth": {
            "enum": ["basic", "post", "private_key_jwt"],
            "default": "post",
            "description": "How the application shows who it is: header, form, or a signed assertion.",
        },
        "private_key": {**SECRET, "description": "For private_key_jwt: the key as PEM."},
        "key_id": {**TEXT, "description": "For private_key_jwt: the kid that the endpoint knows the key by."},
        "algorithm": {
            "enum": [each for each in ALGORITHMS if not each.startswith("HS")],
            "default": "RS256",
            "description": "For private_key_jwt: how the assertion is signed.",
        },
        "assertion_audience": {**TEXT, "description": "For private_key_jwt: the aud claim; default: token_url."},
        "extra": {**TEXTS, "description": "More fields of the form: resource, account_id."},
        "access_token_path": {
            **TEXT,
            "default": "access_token",
            "description": "Where the token stands in the answer, with dots.",
        },
        "expires_in_path": {
            **TEXT,
            "default": "expires_in",
            "description": "Where its seconds of life stand; an hour if they do not.",
        },
    },
)
LOGIN_REQUEST = {
    **_options(
        "What is sent to log in; json or form hold the credentials.",
        required=("url",),
        properties={
            "url": {**URL, "description": "The address of the login."},
            "method": {"enum": ["GET", "POST", "PUT"], "default": "POST", "description": "Of HTTP."},
            "headers": {**TEXTS, "x-secret": True, "description": "Sent with the login alone."},
            "json": {"type": "object", "x-secret": True, "description": "The body, as JSON."},
            "form": {**TEXTS, "x-secret": True, "description": "The body, as a form."},
        },
    ),
    "not": {"required": ["json", "form"]},
}
SESSION = {
    **_options(
        "A login that hands out a token; done again when that ends, and once after a 401.",
        required=("request",),
        properties={
            "request": LOGIN_REQUEST,
            "token_path": {**TEXT, "description": "Where the token stands in the JSON answer: data.token."},
            "token_header": {**TEXT, "description": "Or the header of the answer that holds it."},
            "expires_after": {**DURATION, "default": "1h", "description": "How long it is good for."},
            "inject": {
                **_options(
                    "How the token is sent.",
                    properties={
                        "in": {
                            "enum": ["header", "query", "body", "cookie"],
                            "default": "header",
                            "description": "Where it goes.",
                        },
                        "name": {**TEXT, "default": "Authorization", "description": "Of header, parameter or field."},
                        "format": {
                            "type": "string",
                            "pattern": r"\{token\}",
                            "default": "{token}",
                            "description": 'The text around it: "Bearer {token}".',
                        },
                    },
                ),
                "default": {"format": "Bearer {token}"},
            },
        },
    ),
    "oneOf": [{"required": ["token_path"]}, {"required": ["token_header"]}],
}
JWT = {
    **_options(
        "A token that we sign ourselves.",
        required=("algorithm",),
        properties={
            "algorithm": {"enum": list(ALGORITHMS), "description": "How it is signed."},
            "key": {**SECRET, "description": "The shared secret (HS…), or the private key as PEM."},
            "key_file": {**FILE, "description": "Or the path of a file that holds it."},
            "claims": {
                "type": "object",
                "default": {},
                "description": "iss, sub, aud …; iat and exp are added.",
            },
            "headers": {**TEXTS, "default": {}, "description": "More of its header: kid."},
            "ttl": {**DURATION, "default": "5m", "description": "How long one is good for."},
            "scheme": {"type": "string", "default": "Bearer", "description": "The word before it in Authorization."},
        },
    ),
    "oneOf": [{"required": ["key"]}, {"required": ["key_file"]}],
}

AUTH_SCHEMA: dict[str, Any] = {
    **_options(
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

HTTP_PROPERTIES: dict[str, Any] = {
    "auth": AUTH_SCHEMA,
    "headers": {**TEXTS, "default": {}, "description": "Sent with each request to the API's own host and port."},
    "timeout": {
        **_options(
            "How long things may take.",
            properties={
                "connect": {**DURATION, "default": "10s", "description": "Until there is a connection."},
                "read": {**DURATION, "default": "30s", "description": "Between two pieces of an answer."},
                "total": {**DURATION, "default": "1m", "description": "From the first byte sent to the last received."},
            },
        ),
        "default": {},
    },
    "redirects": {
        "enum": ["none", "same_host"],
        "default": "same_host",
        "description": "Which redirects of a GET are followed; same_host: the same scheme, host and port.",
    },
    "proxy": {
        "type": "string",
        "pattern": "^https?://",
        "x-secret": True,
        "description": "http://proxy.example:3128, with user:password@ where it wants that.",
    },
    "tls": {
        **_options(
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
    },
    "user_agent": {**TEXT, "default": "cgsync", "description": "How we call ourselves."},
    "limits": {
        **_options(
            "Caps on one answer.",
            properties={
                "response": {**SIZE, "default": "64MiB", "description": "Bytes of it, as they come."},
                "decompressed": {**SIZE, "default": "256MiB", "description": "Bytes of it, expanded."},
            },
        ),
        "default": {},
    },
    "rate_limit": RATE_LIMIT,
    "retry": {
        **_options(
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
    },
    "circuit": {
        **_options(
            "After failures in a row, the host is left alone for a while.",
            properties={
                "failures": {"type": "integer", "minimum": 1, "default": 10, "description": "In a row."},
                "pause": {**DURATION, "default": "1m", "description": "How long it is then left alone."},
            },
        ),
        "default": {},
    },
    "trace": {
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
    },
    "allow_insecure": {
        "type": "boolean",
        "default": False,
        "description": "true: http:// to other machines, and verify: false, are meant.",
    },
}
