"""From the checked options of a plugin to the arguments of ``context.http``; see :mod:`cgsync.http.schema`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cgsync.api import Context
from cgsync.errors import SourceMisconfigured
from cgsync.http.address import is_loopback
from cgsync.http.auth import Auth
from cgsync.http.identity import identity, text
from cgsync.http.pace import Pace
from cgsync.http.serviceaccount import unfolded
from cgsync.http.settings import PATIENCE, Caps, CircuitBreaker, Retry, Tls, Trace

Options = Mapping[str, Any]
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def http_arguments(options: Options, *, origin: str, context: Context) -> dict[str, Any]:
    """Keyword arguments for ``context.http``; ``origin`` is the API's address, of which scheme, host and port count.

    Raises :class:`SourceMisconfigured` for what no schema can say: two options that do not go together, a key that
    does not fit its algorithm, an insecure address. Nothing is sent, and files are not read but for keys.
    """
    auth = _auth(options.get("auth"), context)
    _check_secure(options, origin, context)
    timeout, limits, tls = options["timeout"], options["limits"], options["tls"]
    arguments = {
        "origin": origin,
        "auth": auth,
        "headers": {name: text(value) for name, value in options["headers"].items()},
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


def _auth(option: Options | None, context: Context) -> Auth | None:
    try:
        return identity(option, context)
    except SourceMisconfigured as error:
        raise SourceMisconfigured(f"auth: {error.message}", hint=error.hint) from None


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
    token_url, request = unfolded(auth.get("oauth2", {})).get("token_url"), auth.get("session", {}).get("request", {})
    return [url for url in (token_url, request.get("url")) if url]


def _is_plain(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "http" and not is_loopback(parts.hostname or "")
