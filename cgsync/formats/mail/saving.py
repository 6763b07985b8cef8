"""Attachments of a message → files, in a worker process: the bytes of strangers are decoded nowhere else."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cgsync import durable
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
    if path.exists():
        return
    path.parent.mkdir(exist_ok=True)
    durable.sync(path.parent.parent)  # also where whoever made it was killed before that
    durable.replace(path, content, aside=path.with_name(f".{path.name}.{os.getpid()}"))
