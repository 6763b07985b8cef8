"""Ports for servers that cannot be told to take any: they are named in a file first."""

from __future__ import annotations

import random
import socket
from pathlib import Path

LOWEST = 10_000
_chance = random.SystemRandom()  # what the tests of other processes draw is often the same


def free_port() -> int:
    """One on which nobody listens, below those from which connections go out: no such one takes it meanwhile."""
    outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", _chance.randrange(LOWEST, outgoing)))
            except OSError:
                continue
            return int(probe.getsockname()[1])
