"""Attachments of a message → files, in a worker process: the bytes of strangers are decoded nowhere else."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from cgsync.formats.mail.contents import Attached, pieces_of
from cgsync.formats.mail.message import bare
from cgsync.formats.mail.model import MailLimits
from cgsync.formats.mail.structure import structure_of


def save(payload: bytes, options: Mapping[str, Any]) -> str:
    """Write those of ``files``: paths in ``folder`` by sha256. What the system said against it, or nothing."""
    try:
        folder = Path(options["folder"])
        folder.mkdir(exist_ok=True)
        for piece in pieces_of(structure_of(bare(payload), MailLimits()).parts):
            if isinstance(piece, Attached) and (name := options["files"].get(piece.about["sha256"])):
                _write(folder / name, piece.content)
    except OSError as error:
        return f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error)
    return ""


def _write(path: Path, content: bytes) -> None:
    """Whole and on the disk, or not at all."""
    if path.exists():
        return
    path.parent.mkdir(exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        with suppress(OSError):
            part.unlink()
        raise
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """Else the file could be there without its name after a power cut."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
