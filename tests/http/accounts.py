"""A token endpoint that believes what the key of one service account has signed, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

EMAIL = "robot@project.iam.example"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@cache
def key() -> RSAPrivateKey:
    return generate_private_key(65537, 2048)


def pem() -> str:
    form = serialization.PrivateFormat.PKCS8
    return key().private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


@dataclass
class Accounts:
    """``mayact``: the only one for whom it issues tokens. ``issue``: what a token for somebody is."""

    mayact: str = "ann@acme.example"
    issue: Callable[[str], str] = lambda subject: f"access-of-{subject}"
    url: str = ""
    forms: list[Mapping[str, Any]] = field(default_factory=list)
    claims: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def key_file(self) -> str:
        """As an operator downloads it."""
        return json.dumps(
            {
                "type": "service_account",
                "project_id": "project",
                "private_key_id": "key-7",
                "private_key": pem(),
                "client_email": EMAIL,
                "client_id": "1234567890",
                "token_uri": self.url,
            }
        )

    async def answer(self, request: web.Request) -> web.Response:
        form = dict(await request.post())
        self.forms.append(form)
        assertion = str(form["assertion"])
        assert jwt.get_unverified_header(assertion) == {"typ": "JWT", "alg": "RS256", "kid": "key-7"}
        claims = jwt.decode(
            assertion, key().public_key(), ["RS256"], audience=self.url, issuer=EMAIL, options={"verify_iat": False}
        )
        self.claims.append(claims)
        if claims.get("sub") != self.mayact:
            said = f"not authorized to act by {assertion}"
            return web.json_response({"error": "unauthorized_client", "error_description": said}, status=401)
        return web.json_response({"access_token": self.issue(claims["sub"]), "expires_in": 3599})
