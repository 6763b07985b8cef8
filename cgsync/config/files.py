"""Read small files that a configuration names, and nothing that could hang or swell."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from cgsync.errors import not_the_machine


def content(path: Path, *, limit: int) -> tuple[bytes, int]:
    """What a regular file holds, and its mode; raises :class:`OSError` in words, also beyond ``limit`` bytes.

    What the machine lacks is :class:`MachineLacks`.
    """
    try:
        return _content(path, limit)
    except OSError as error:
        not_the_machine(error, str(path))
        raise


def _content(path: Path, limit: int) -> tuple[bytes, int]:
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a FIFO must not hang us
    try:
        mode = os.fstat(handle).st_mode
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        with os.fdopen(handle, "rb", closefd=False) as stream:
            found = stream.read(limit + 1)
    finally:
        os.close(handle)
    if len(found) > limit:
        raise OSError(errno.EFBIG, f"it is larger than {limit // 1024} KiB")
    return found, mode
