"""What the tests let worker processes do."""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cgsync.formats import Malformed


def echo(payload: bytes, options: Mapping[str, Any]) -> Any:
    return {"pid": os.getpid(), "size": len(payload), "options": options}


def refuse(payload: bytes, options: Mapping[str, Any]) -> Any:
    raise Malformed("no such thing", offset=3, line=2, raw=payload, hint="try another")


def fail(payload: bytes, options: Mapping[str, Any]) -> Any:
    raise RuntimeError("a bug")


def die(payload: bytes, options: Mapping[str, Any]) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def leave(payload: bytes, options: Mapping[str, Any]) -> Any:
    os._exit(3)


def loop(payload: bytes, options: Mapping[str, Any]) -> Any:
    """Says who it is in the file that ``options`` name, and never comes back."""
    _announce(options)
    while True:
        pass


def wait(payload: bytes, options: Mapping[str, Any]) -> Any:
    _announce(options)
    time.sleep(3600)


def gorge(payload: bytes, options: Mapping[str, Any]) -> Any:
    return len([bytes(1024 * 1024) for _ in range(10_000)])


def chat(payload: bytes, options: Mapping[str, Any]) -> Any:
    """Prints as a careless library would."""
    print("some words")
    os.write(1, b"some more")
    return "an answer"


def environment(payload: bytes, options: Mapping[str, Any]) -> Any:
    return sorted(os.environ)


def modules(payload: bytes, options: Mapping[str, Any]) -> Any:
    return sorted(sys.modules)


def collected(payload: bytes, options: Mapping[str, Any]) -> Any:
    """How many objects a look for cycles goes through."""
    return len(gc.get_objects())


def _announce(options: Mapping[str, Any]) -> None:
    Path(options["place"], str(os.getpid())).touch()
