"""From the checked options of a plugin to the arguments of ``context.http``; see :mod:`cgsync.http.schema`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cgsync.api import Context
from cgsync.errors import SourceMisconfigured
from cgsync.http.auth import Auth, api_key, basic, bearer
from cgsync.http.login import Inject, Login, login_request
from cgsync.http.oauth2 import ClientAuth, OAuth2
from cgsync.http.pace import Pace
from cgsync.http.settings import PATIENCE, Caps, CircuitBreaker, Retry, Tls, Trace
from cgsync.http.signing import Assertion, SignedJwt, Signer
from cgsync.http.token import Tokens
from cgsync.http.tokenfile import TokenFile
from cgsync.secrets import Secret

Options = Mapping[str, Any]
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def http_arguments(options: Options, *, origin: str, context: Context) -> dict[str, Any]:
    """Keyword arguments for ``context.http``; ``origin`` is the API's address, of which scheme, host and port count.

    Raises :class:`SourceMisconfigured` for what no schema can say: two options that do not go together, a key that
    does not fit its algorithm, an insecure address. Nothing is sent, and files are not read but for keys.
    """
    _check_secure(options, origin, context)
    timeout, limits, tls = options["timeout"], options["limits"], options["tls"]
    arguments = {
        "origin": origin,
        "auth": _auth(options.get("auth"), context),
        "headers": {name: _text(value) for name, value in options["headers"].items()},
        "timeout": timeout["total"],
        "connect_timeout": timeout["connect"],
        "read_timeout": timeout["read"],
        "caps": Caps(received=limits["response"], expanded=limits["decompressed"]),
        "tls": _tls(tls),
        "proxy": options.get("proxy"),
        "user_agent": options["user_agent"],
        "redirects": options["redirects"] == "same_host",
        "retry": _retry(options["retry"]),
        "circuit": CircuitBreaker(failures=options["circuit"]["failures"], pause=options["circuit"]["pause"]),
        "trace": _trace(options.get("trace")),
    }
    return {**arguments, **_rate(options["rate_limit"], context)}


def rate(text: str) -> float:
    """``5/s``, ``50/m``, ``1000/h`` or ``10000/d`` in requests per second."""
    count, _, unit = text.partition("/")
    return float(count) / SECONDS[unit]


def _rate(option: Any, context: Context) -> dict[str, Any]:
    if isinstance(option, str):
        option = {"rate": option}
    found: dict[str, Any] = {"early_limit": option.get("early_limit", 0.2)}
    if "budget" in option:
        return {**found, "budget": option["budget"]}
    if not (ceiling := rate(option["rate"])):
        raise SourceMisconfigured("rate_limit must be more than 0")
    return {**found, "pace": Pace(ceiling, context.clock)}


def _retry(option: Options) -> Retry:
    if option["time"] > PATIENCE:
        raise SourceMisconfigured(
            "retry.time must be at most 30s", hint="a source that waits longer is polled again later, by itself"
        )
    return Retry(
        attempts=option["attempts"],
        patience=option["time"],
        first=option["backoff"],
        longest=option["max"],
        jitter=option["jitter"],
    )


def _trace(option: Any) -> Trace | None:
    if option is None or isinstance(option, str):
        return None if option is None else Trace(file=Path(option))
    return Trace(file=Path(option["file"]), size=option["size"], keep=option["keep"])


def _tls(option: Options) -> Tls:
    files = {name: Path(option[name]) for name in ("ca", "cert", "key") if name in option}
    return Tls(**files, verify=option["verify"])


def _auth(option: Options | None, context: Context) -> Auth | None:
    if option is None:
        return None
    (kind,) = option
    return _AUTHS[kind](option[kind], context)


def _basic(option: Options, _context: Context) -> Auth:
    return basic(_text(option["username"]), _secret(option["password"]))


def _bearer(option: Options, _context: Context) -> Auth:
    return TokenFile(Path(option["token_file"])) if "token_file" in option else bearer(_secret(option["token"]))


def _api_key(option: Options, _context: Context) -> Auth:
    return api_key(option["name"], _secret(option["value"]), option["in"])


def _oauth2(option: Options, context: Context) -> Auth:
    refreshes = option["grant"] == "refresh_token"
    if refreshes != ("refresh_token" in option):
        raise SourceMisconfigured("auth.oauth2: grant: refresh_token and refresh_token: go together")
    scopes = option.get("scopes", "")
    issuer = OAuth2(
        url=option["token_url"],
        client_id=option["client_id"],
        client_secret=_secret(option.get("client_secret", "")),
        client_auth=_client_auth(option),
        clock=context.clock,
        refresh_token=_secret(option["refresh_token"]) if refreshes else None,
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
        raise SourceMisconfigured(f"auth.oauth2: client_auth: {way} needs {needs}")
    if way != "private_key_jwt":
        return "basic" if way == "basic" else "post"
    headers = {"kid": option["key_id"]} if "key_id" in option else {}
    key = _secret(option["private_key"])
    signer = Signer(algorithm=option["algorithm"], key=key, headers=headers, place="auth.oauth2.private_key")
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
    signer = Signer(algorithm=option["algorithm"], key=key, headers=dict(option["headers"]), place="auth.jwt.key")
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


def _text(value: str | Secret) -> str:
    return value.reveal() if isinstance(value, Secret) else value


def _check_secure(options: Options, origin: str, context: Context) -> None:
    plain = [url for url in (origin, *_login_urls(options.get("auth"))) if _is_plain(url)]
    insecure = [f"{url.partition('?')[0]} is not encrypted" for url in plain]
    if not options["tls"]["verify"]:
        insecure.append("tls.verify: false trusts whoever answers")
    for words in insecure:
        if not options["allow_insecure"]:
            raise SourceMisconfigured(words, hint="if that is meant, say allow_insecure: true")
        context.log.warning("insecure", reason=words, allowed_by="allow_insecure")


def _login_urls(auth: Options | None) -> list[str]:
    if not auth:
        return []
    token_url, request = auth.get("oauth2", {}).get("token_url"), auth.get("session", {}).get("request", {})
    return [url for url in (token_url, request.get("url")) if url]


def _is_plain(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "http" and not _is_here(parts.hostname or "")


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


_AUTHS = {
    "basic": _basic,
    "bearer": _bearer,
    "api_key": _api_key,
    "oauth2": _oauth2,
    "session": _session,
    "jwt": _jwt,
}
