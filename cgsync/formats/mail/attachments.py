"""What is told of a file that is attached to a message."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any

from cgsync.formats.mail.charsets import as_text
from cgsync.formats.mail.structure import Part
from cgsync.formats.mail.uuencode import File
from cgsync.formats.mail.words import shown

LONGEST_NAME = 255


def name_of(part: Part) -> str:
    """The name that a part has as a file, or nothing."""
    return part.headers.parameters("content-disposition").get("filename") or part.kind.get("name")


def attachment(part: Part, content: bytes) -> dict[str, Any]:
    return {
        "name": _label(name_of(part)),
        "type": part.kind.word or "text/plain",
        **_sizes(content),
        "inline": part.headers.word("content-disposition") == "inline",
        "content_id": part.headers.text("content-id").strip("<> ") or None,
    }


def attachment_in(file: File) -> dict[str, Any]:
    """One that stood in the text."""
    return {
        "name": _label(shown(as_text(file.name))),
        "type": "application/octet-stream",
        **_sizes(file.content),
        "inline": True,
        "content_id": None,
    }


def _sizes(content: bytes) -> dict[str, Any]:
    return {"size": len(content), "sha256": sha256(content).hexdigest()}


def _label(name: str) -> str | None:
    """The name without any folder: nobody should take it for a place."""
    return re.split(r"[/\\]", name)[-1].strip()[:LONGEST_NAME] or None
