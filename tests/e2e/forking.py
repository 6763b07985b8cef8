"""A process in which everything is imported, and which becomes cgsync in a child of its own for each order.

``python -m tests.e2e.forking SOCKET``: an order is one message with the arguments, the environment and the folder, and
with three descriptors: where the exit status is to be written, stdout and stderr. The answer is the pid of the child.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import pkgutil
import random
import selectors
import signal
import socket
import sys
import threading
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import NamedTuple, NoReturn

LONGEST = 128 * 1024
"""Bytes of an order."""
PACKAGES = ("cgsync", "cgsync_files", "cgsync_imap", "cgsync_rest")
PROGRAMS = ("cgsync.__main__", "cgsync.testing", "cgsync.formats.worker")
"""What neither a daemon nor a command imports."""


class Order(NamedTuple):
    """What a child is to do. ``outputs``: its stdout and stderr."""

    arguments: Sequence[str]
    env: Mapping[str, str]
    cwd: str
    outputs: Sequence[int]


def main(number: int) -> None:
    """Serve; in a child, be cgsync."""
    with socket.socket(fileno=number) as orders:
        grow()
        order = serve(orders)
    become(order)
    import_module("cgsync.cli").main()


def grow() -> None:
    """Import all that a start could want."""
    for package in map(import_module, PACKAGES):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.startswith(PROGRAMS):
                import_module(found.name)
    assert threading.active_count() == 1, "a fork would copy what the others hold"
    gc.freeze()


def serve(orders: socket.socket) -> Order:
    """Fork for each order until there are no more. Returns in the children."""
    with selectors.DefaultSelector() as awaited:
        awaited.register(orders, selectors.EVENT_READ)
        while True:
            for key, _ in awaited.select():
                if key.data is not None:
                    awaited.unregister(key.fd)
                    bury(key.fd, *key.data)
                    continue
                message, descriptors, _, _ = socket.recv_fds(orders, LONGEST, 3)
                if not message:
                    end(awaited)
                ended, *outputs = descriptors
                child = os.fork()
                if not child:
                    return Order(**json.loads(message), outputs=outputs)
                for output in outputs:
                    os.close(output)
                awaited.register(os.pidfd_open(child), selectors.EVENT_READ, (child, ended))
                orders.send(str(child).encode())


def bury(descriptor: int, child: int, ended: int) -> None:
    """Tell how it ended."""
    _, status = os.waitpid(child, 0)
    with contextlib.suppress(BrokenPipeError):
        os.write(ended, str(os.waitstatus_to_exitcode(status)).encode())
    os.close(ended)
    os.close(descriptor)


def end(awaited: selectors.BaseSelector) -> NoReturn:
    """Nobody gives orders any more, and nobody will miss those that still run."""
    for key in awaited.get_map().values():
        if key.data is not None:
            os.kill(key.data[0], signal.SIGKILL)
    sys.exit()


def become(order: Order) -> None:
    """What an interpreter would have got from whoever started it."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, descriptor in enumerate([nothing, *order.outputs]):
        os.dup2(descriptor, number)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.environ.clear()
    os.environ.update(order.env)
    os.chdir(order.cwd)
    sys.argv = ["cgsync", *order.arguments]
    random.seed()  # else all of them would draw the same


if __name__ == "__main__":
    main(int(sys.argv[1]))
