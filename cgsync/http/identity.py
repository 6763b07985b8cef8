"""From the option ``auth:`` to an :class:`cgsync.http.Auth`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from cgsync.api import Context
from cgsync.errors import SourceMisconfigured
from cgsync.http.auth import Auth, api_key, basic, bearer
from cgsync.http.login import Inject, Login, login_request
from cgsync.http.oauth2 import ClientAuth, OAuth2
from cgsync.http.serviceaccount import ServiceAccount, unfolded
from cgsync.http.signing import Assertion, SignedJwt, Signer
from cgsync.http.token import Tokens
from cgsync.http.tokenfile import TokenFile
from cgsync.secrets import Secret

Options = Mapping[str, Any]


def identity(option: Options | None, context: Context) -> Auth | None:
    """What ``auth:`` says; ``None`` without it. Raises :class:`SourceMisconfigured` in words that begin below it."""
    if option is None:
        return None
    (kind,) = option
    return _AUTHS[kind](option[kind], context)


def _basic(option: Options, _context: Context) -> Auth:
    return basic(text(option["username"]), _secret(option["password"]))


def _bearer(option: Options, _context: Context) -> Auth:
    return TokenFile(Path(option["token_file"])) if "token_file" in option else bearer(_secret(option["token"]))


def _api_key(option: Options, _context: Context) -> Auth:
    return api_key(option["name"], _secret(option["value"]), option["in"])


def _oauth2(option: Options, context: Context) -> Auth:
    option = unfolded(option)
    _check_grant(option)
    signs = option["grant"] == "service_account"
    scopes = option.get("scopes", "")
    issuer = OAuth2(
        url=option["token_url"],
        client_id=option["client_id"],
        client_secret=_secret(option.get("client_secret", "")),
        client_auth="post" if signs else _client_auth(option),
        clock=context.clock,
        refresh_token=_secret(option["refresh_token"]) if "refresh_token" in option else None,
        service_account=_service_account(option) if signs else None,
        store=context.secrets,
        scope=scopes if isinstance(scopes, str) else " ".join(scopes),
        audience=option.get("audience", ""),
        extra=dict(option.get("extra", {})),
        access_token_path=option["access_token_path"],
        expires_in_path=option["expires_in_path"],
    )
    return Tokens(issuer, clock=context.clock)


def _client_auth(option: Options) -> ClientAuth:
    way: Any = option["client_auth"]
    needs = "private_key" if way == "private_key_jwt" else "client_secret"
    if needs not in option and not (way == "post" and option["grant"] == "refresh_token"):  # a public client has none
        raise SourceMisconfigured(f"oauth2: client_auth: {way} needs {needs}")
    if way != "private_key_jwt":
        return "basic" if way == "basic" else "post"
    return _assertion(option)


def _check_grant(option: Options) -> None:
    grant = option["grant"]
    if (grant == "refresh_token") != ("refresh_token" in option):
        raise SourceMisconfigured("oauth2: grant: refresh_token and refresh_token: go together")
    if grant != "service_account" and "service_account_key" in option:
        raise SourceMisconfigured("oauth2: grant: a service_account_key needs service_account")
    if grant == "service_account" and "private_key" not in option:
        raise SourceMisconfigured("oauth2: grant: service_account needs service_account_key, or private_key")


def _service_account(option: Options) -> ServiceAccount:
    return ServiceAccount(assertion=_assertion(option), subject=option.get("subject", ""))


def _assertion(option: Options) -> Assertion:
    headers = {"kid": option["key_id"]} if "key_id" in option else {}
    key = _secret(option["private_key"])
    signer = Signer(algorithm=option["algorithm"], key=key, headers=headers, place="oauth2: private_key")
    return Assertion(signer=signer, audience=option.get("assertion_audience", ""))


def _session(option: Options, context: Context) -> Auth:
    request, secrets = login_request(option["request"])
    inject = option["inject"]
    issuer = Login(
        request=request,
        clock=context.clock,
        secrets=secrets,
        token_path=option.get("token_path", ""),
        token_header=option.get("token_header", ""),
        expires_after=option["expires_after"],
        inject=Inject(place=inject["in"], name=inject["name"], format=inject["format"]),
    )
    return Tokens(issuer, clock=context.clock)


def _jwt(option: Options, context: Context) -> Auth:
    key = _secret(option["key"]) if "key" in option else Secret(_read(Path(option["key_file"])))
    signer = Signer(algorithm=option["algorithm"], key=key, headers=dict(option["headers"]), place="jwt: key")
    ttl: timedelta = option["ttl"]
    issuer = SignedJwt(
        signer=signer, clock=context.clock, claims=_plain(option["claims"]), ttl=ttl, scheme=option["scheme"]
    )
    return Tokens(issuer, clock=context.clock)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        reason = f"{path} cannot be read: {error.strerror}"
        raise SourceMisconfigured(reason, hint="correct `key_file:`, or its owner and mode") from None


def _plain(node: Any) -> Any:
    """Without the frozen types that JSON does not know."""
    if isinstance(node, Mapping):
        return {key: _plain(each) for key, each in node.items()}
    return [_plain(each) for each in node] if isinstance(node, list | tuple) else node


def _secret(value: str | Secret) -> Secret:
    return value if isinstance(value, Secret) else Secret(value)


def text(value: str | Secret) -> str:
    """An option that may or may not be a secret."""
    return value.reveal() if isinstance(value, Secret) else value


_AUTHS = {
    "basic": _basic,
    "bearer": _bearer,
    "api_key": _api_key,
    "oauth2": _oauth2,
    "session": _session,
    "jwt": _jwt,
}
