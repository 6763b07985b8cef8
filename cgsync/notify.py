"""What systemd wants to know (sd_notify): a few lines of text on a datagram socket."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Mapping
from datetime import timedelta


class Notifier:
    """Talks to the service manager, or to nobody when there is none."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._address = _address(environ.get("NOTIFY_SOCKET", ""))
        self._status = ""
        self.watchdog = _watchdog(environ)

    def ready(self) -> None:
        self._send("READY=1")

    def reloading(self) -> None:
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        self._send("STOPPING=1")

    def alive(self) -> None:
        self._send("WATCHDOG=1")

    def extend(self, span: timedelta) -> None:
        """Ask for more time: a migration or a drain takes longer than the unit's limit."""
        self._send(f"EXTEND_TIMEOUT_USEC={int(span.total_seconds() * 1_000_000)}")

    def status(self, words: str) -> None:
        """What ``systemctl status`` shows; sent on a change only."""
        if words != self._status:
            self._status = words
            self._send(f"STATUS={words.splitlines()[0] if words else ''}")

    def failed(self, words: str, errno: int | None = None) -> None:
        self._send(f"STATUS={words.splitlines()[0] if words else ''}", *([f"ERRNO={errno}"] if errno else []))

    def _send(self, *lines: str) -> None:
        if self._address is None:
            return
        # a service manager that went away must not take the service with it
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as link,
        ):
            link.sendto("\n".join(lines).encode(), self._address)


def _address(text: str) -> str | None:
    """``@name`` is systemd's spelling of an abstract socket."""
    if not text:
        return None
    return "\0" + text[1:] if text.startswith("@") else text


def _watchdog(environ: Mapping[str, str]) -> timedelta | None:
    """The time within which systemd wants a sign of life; half of what it says is the usual pace."""
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    limit = environ.get("WATCHDOG_USEC", "")
    return timedelta(microseconds=int(limit)) if limit.isdecimal() and int(limit) else None
