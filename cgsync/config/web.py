"""The address at which HTTP is spoken."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from cgsync.config.findings import Findings
from cgsync.config.nodes import Node
from cgsync.config.settings import WebConfig
from cgsync.config.values import value

OFF = "off"
PATH = ("web", "listen")


def check(root: Node, findings: Findings) -> None:
    """What no schema can say: whether it is an address, and who reaches it."""
    node = root.at(PATH)
    if node.span is None or not isinstance(node.value, str) or node.value == OFF:
        return
    try:
        host, _ = _parts(node.value)
    except ValueError:
        findings.value(node, PATH, "must be an address and a port", help="127.0.0.1:8787, [::1]:8787 or off")
        return
    if not _is_loopback(host):
        findings.value(node, PATH, "can be read by every machine that reaches this address", severity="warning",
                       help="it shows names of sources and counts; 127.0.0.1 is for this machine alone")  # fmt: skip


def assemble(root: Node) -> WebConfig | None:
    """The section as a value, once it has no mistakes; ``None`` when it is off."""
    node, hosts = root.at(PATH), root.at(("web", "hosts"))
    if node.value == OFF:
        return None
    host, port = _parts(str(node.value))
    return WebConfig(host=host, port=port, hosts=value(hosts), chosen=node.span is not None)


def _parts(address: str) -> tuple[str, int]:
    parts = urlsplit(f"//{address}")
    if not parts.hostname or parts.port is None or parts.netloc != address or "@" in address:
        raise ValueError(address)
    return parts.hostname, parts.port


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
