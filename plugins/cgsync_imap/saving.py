"""Attachments as files, named by what is in them: to save them again, after a kill for instance, changes nothing."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cgsync.api import SourceUnavailable
from cgsync.formats import Workers
from cgsync_imap.settings import Saving

ENDING = re.compile(r"\.[a-z0-9]{1,10}\Z")
"""What of a stranger's name may be in the name of a file here."""


def named(attachments: Sequence[Mapping[str, Any]], saving: Saving | None) -> list[dict[str, Any]]:
    """The attachments, each with ``saved``: its path in the folder, or ``None`` for one that is not saved."""
    places = files(attachments, saving)
    return [{**each, "saved": places.get(each["sha256"])} for each in attachments]


def files(attachments: Sequence[Mapping[str, Any]], saving: Saving | None) -> dict[str, str]:
    """Paths of those that are small enough, by sha256; what a message has twice is one file."""
    places: dict[str, str] = {}
    for each in attachments:
        if saving is not None and each["size"] <= saving.largest:
            places.setdefault(each["sha256"], _place(each["sha256"], each["name"] or ""))
    return places


def _place(sha256: str, name: str) -> str:
    ending = ENDING.search(name.lower())
    return f"{sha256[:2]}/{sha256}{ending[0] if ending else ''}"


class Shelf:
    """Puts attachments into the folder."""

    def __init__(self, saving: Saving, workers: Workers) -> None:
        self._saving = saving
        self._workers = workers

    async def put(self, raw: bytes, attachments: Sequence[Mapping[str, Any]]) -> None:
        """They are on the disk when this returns. Raises :class:`SourceUnavailable` where they cannot be."""
        folder, places = self._saving.folder, files(attachments, self._saving)
        missing = {sha256: place for sha256, place in places.items() if not (folder / place).exists()}
        try:
            if missing:
                await self._workers.save_attachments(raw, folder, missing)
        except OSError as error:
            raise unwritable(folder, str(error)) from None


def check(saving: Saving) -> None:
    """Raise :class:`SourceUnavailable` where nothing could be saved."""
    folder = saving.folder
    place = folder if folder.exists() else folder.parent
    if not place.is_dir():
        raise unwritable(folder, f"{place} is no folder")
    if not os.access(place, os.W_OK | os.X_OK):
        raise unwritable(folder, os.strerror(errno.EACCES))


def unwritable(folder: Path, said: str) -> SourceUnavailable:
    hint = "make it writable for the daemon (under systemd: ReadWritePaths=), or make room; nothing is read until then"
    return SourceUnavailable(f"attachments: save: {folder} cannot be written: {said}", hint=hint)
