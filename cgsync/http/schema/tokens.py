"""The ways to show who we are that begin with getting a token: OAuth2, a login, one that we sign ourselves."""

from __future__ import annotations

from cgsync.http.schema.terms import DURATION, FILE, SECRET, TEXT, TEXTS, URL, options

ALGORITHMS = (
    *("HS256", "HS384", "HS512", "RS256", "RS384", "RS512"),
    *("PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"),
)

OAUTH2 = {
    **options(
        "Tokens from an OAuth2 endpoint, renewed before they end.",
        properties={
            "grant": {
                "enum": ["client_credentials", "refresh_token", "service_account"],
                "default": "client_credentials",
                "description": "Which of the flows without a person.",
            },
            "token_url": {**URL, "description": "The token endpoint."},
            "client_id": {**TEXT, "description": "Of the application that was registered; a service account's e-mail."},
            "client_secret": {**SECRET, "description": "For client_auth basic and post."},
            "refresh_token": {**SECRET, "description": "The first one; what takes its place is remembered."},
            "service_account_key": {
                **SECRET,
                "description": "For service_account: the JSON of its key, as Google hands it out. It says token_url, "
                "client_id, private_key and key_id, where they are not given.",
            },
            "subject": {**TEXT, "description": "For service_account: the person for whom it acts."},
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
            "private_key": {**SECRET, "description": "For private_key_jwt and service_account: the key as PEM."},
            "key_id": {**TEXT, "description": "For both: the kid that the endpoint knows the key by."},
            "algorithm": {
                "enum": [each for each in ALGORITHMS if not each.startswith("HS")],
                "default": "RS256",
                "description": "For both: how the assertion is signed.",
            },
            "assertion_audience": {**TEXT, "description": "For both: the aud claim; default: token_url."},
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
    ),
    "if": {"required": ["service_account_key"]},
    "else": {"required": ["token_url", "client_id"]},
}
LOGIN_REQUEST = {
    **options(
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
    **options(
        "A login that hands out a token; done again when that ends, and once after a 401.",
        required=("request",),
        properties={
            "request": LOGIN_REQUEST,
            "token_path": {**TEXT, "description": "Where the token stands in the JSON answer: data.token."},
            "token_header": {**TEXT, "description": "Or the header of the answer that holds it."},
            "expires_after": {**DURATION, "default": "1h", "description": "How long it is good for."},
            "inject": {
                **options(
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
    **options(
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
