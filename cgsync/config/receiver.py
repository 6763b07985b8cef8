"""The receiving API's part of the configuration."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cgsync.config.findings import Findings
from cgsync.config.nodes import Node
from cgsync.config.places import resolved
from cgsync.config.settings import ReceiverConfig
from cgsync.config.values import rate, value

SECTION = "customergauge"
ENDPOINT = "https://imports.api.{region}.customergauge.com/activities"
ADDRESSES = ("region", "url", "token_url")
TOKENS = "https://auth.{region}.customergauge.com/oauth2/token"


def check(node: Node, findings: Findings, environ: Mapping[str, str]) -> None:
    """What no schema can say: which addresses go together, and whether they are safe."""
    _check_addresses(node, findings)
    for name in ("url", "token_url"):
        if (each := node.get(name)) and isinstance(each.value, str) and each.value:
            _check_url(name, each, findings, insecure=node.at(("allow_insecure",)).value is True)
    if (limit := node.get("rate_limit")) and limit.span and is_zero(limit):
        findings.value(limit, (SECTION, "rate_limit"), "must be more than 0")
    file = node.get("ca_file")
    if file and file.span and isinstance(file.value, str) and not _path(file, environ).is_file():
        findings.value(file, (SECTION, "ca_file"), f"there is no file {_path(file, environ)}")


def assemble(node: Node, environ: Mapping[str, str]) -> ReceiverConfig:
    """The section as a value, once it has no mistakes."""
    given: dict[str, Any] = {key: value(each) for key, each in node.items()}
    region = given.pop("region", None)
    file = node.get("ca_file")
    return ReceiverConfig(
        **given
        | {
            "url": given.get("url") or ENDPOINT.format(region=region),
            "token_url": given.get("token_url") or TOKENS.format(region=region),
            "rate_limit": rate(given["rate_limit"]),
            "ca_file": _path(file, environ) if file else None,
        }
    )


def _check_addresses(node: Node, findings: Findings) -> None:
    url, token_url, region = node.get("url"), node.get("token_url"), node.get("region")
    path = (SECTION,)
    if region and (url or token_url):
        findings.key(region, (*path, "region"), "stands beside an address that replaces it",
                     help="either region, or url and token_url")  # fmt: skip
    written = {name for name in ADDRESSES if node.get(name) or findings.is_meant(path, name)}
    if "region" not in written and not written >= {"url", "token_url"}:
        lacking = "url" if "token_url" in written else "token_url" if "url" in written else "region"
        findings.key(node, path, f'"{lacking}" is missing', help="region: eu, us or au; or url and token_url")


def _check_url(name: str, node: Node, findings: Findings, *, insecure: bool) -> None:
    path, address = (SECTION, name), str(node.value)
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        findings.value(node, path, f"is no address: {error}")
        return
    if parts.scheme not in ("http", "https") or not host:
        findings.value(node, path, "must be an address that begins with https://")
    elif parts.username is not None or parts.fragment:
        findings.hide(node.span)
        findings.value(node, path, "holds a user name or a fragment", help="who we are is client_id and client_secret")
    elif parts.scheme == "http" and not _is_loopback(host):
        _insecure(node, path, findings, allowed=insecure)


def _insecure(node: Node, path: tuple[str, str], findings: Findings, *, allowed: bool) -> None:
    if allowed:
        findings.value(node, path, "http:// shows the secret to everybody on the way", severity="warning",
                       help="allowed by allow_insecure; use https://")  # fmt: skip
    else:
        findings.value(node, path, "http:// would show the secret to everybody on the way",
                       help="use https://, or say allow_insecure: true")  # fmt: skip


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_zero(limit: Node) -> bool:
    """Would that rate let nothing through?"""
    try:
        return rate(str(limit.value)) == 0
    except (ValueError, KeyError):
        return False  # the schema has said so


def _path(node: Node, environ: Mapping[str, str]) -> Path:
    assert node.span is not None
    return resolved(str(node.value), node.span.file.parent, environ)
