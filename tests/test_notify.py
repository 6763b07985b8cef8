"""What is said to the service manager, read from a real datagram socket."""

from __future__ import annotations

import os
import socket
from datetime import timedelta
from pathlib import Path

import pytest

from cgsync.notify import Notifier


@pytest.fixture
def manager(tmp_path: Path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
        link.bind(str(tmp_path / "notify"))
        link.settimeout(5)
        yield link


def heard(manager: socket.socket) -> list[str]:
    return manager.recv(4096).decode().splitlines()


def test_the_life_of_a_service(manager: socket.socket) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": manager.getsockname()})
    notifier.ready()
    assert heard(manager) == ["READY=1"]
    notifier.reloading()
    word, stamp = heard(manager)
    assert word == "RELOADING=1"
    assert stamp.startswith("MONOTONIC_USEC=")
    notifier.extend(timedelta(seconds=2))
    assert heard(manager) == ["EXTEND_TIMEOUT_USEC=2000000"]
    notifier.stopping()
    assert heard(manager) == ["STOPPING=1"]
    notifier.failed("disk full\nmore", 28)
    assert heard(manager) == ["STATUS=disk full", "ERRNO=28"]


def test_status_is_sent_on_a_change_only(manager: socket.socket) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": manager.getsockname()})
    notifier.status("3 sources")
    notifier.status("3 sources")
    notifier.status("2 sources")
    assert [heard(manager), heard(manager)] == [["STATUS=3 sources"], ["STATUS=2 sources"]]


def test_an_abstract_socket_is_spelled_with_an_at_sign() -> None:
    name = f"cgsync-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
        link.bind("\0" + name)
        Notifier({"NOTIFY_SOCKET": "@" + name}).ready()
        assert heard(link) == ["READY=1"]


def test_without_a_manager_or_with_one_that_left_nothing_happens(tmp_path: Path) -> None:
    Notifier({}).ready()
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready()


@pytest.mark.parametrize(
    ("environ", "limit"),
    [
        ({"WATCHDOG_USEC": "3000000"}, timedelta(seconds=3)),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": str(os.getpid())}, timedelta(seconds=3)),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_limit_is_the_managers(environ: dict[str, str], limit: timedelta | None) -> None:
    assert Notifier(environ).watchdog == limit
