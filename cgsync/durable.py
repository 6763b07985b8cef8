"""Files that a power cut leaves as they are, once the call has returned."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def replace(path: Path, content: bytes, *, aside: Path, mode: int = 0o666) -> None:
    """Write it whole, ``aside`` in the same folder first. Raises ``OSError``, and then leaves nothing there."""
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        aside.replace(path)
    except OSError:
        with suppress(OSError):
            aside.unlink()
        raise
    sync(path.parent)


def sync(folder: Path) -> None:
    """Else what was made in it could be there without its name."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
