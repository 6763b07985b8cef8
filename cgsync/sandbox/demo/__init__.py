"""Sample exports, a small help desk, and a configuration that reads both, so that there is something to see at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from cgsync.sandbox.demo.desk import KEY, Desk

__all__ = ["ACTIVITIES", "EXPORTS", "FILTERED", "KEY", "REJECTS", "Desk", "write_demo"]

EXPORTS = ("orders.csv", "calls.json")
ACTIVITIES, REJECTS, FILTERED = 131, 2, 3
"""What becomes of the records of the exports and the help desk under the demo's configuration."""


def write_demo(folder: Path, *, sandbox_url: str, token_url: str, desk_url: str) -> Path:
    """Write the sample exports into ``folder/drop`` and return the path of a ``cgsync.yaml`` that reads all.

    ``folder`` is made when it is missing; exports and configuration of an earlier demo are written anew.
    """
    package = resources.files(__package__)
    drop = folder / "drop"
    drop.mkdir(parents=True, exist_ok=True)
    for name in EXPORTS:
        (drop / name).write_bytes((package / name).read_bytes())
    path = folder / "cgsync.yaml"
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)  # it holds a client secret, though only the sandbox's
    folder = folder.resolve()
    words = {"url": sandbox_url, "token_url": token_url, "desk_url": desk_url}
    path.write_text(_configuration(words | {"drop": f"{folder}/drop", "state_dir": f"{folder}/state"}), "utf-8")
    return path


def _configuration(words: Mapping[str, str]) -> str:
    text = (resources.files(__package__) / "cgsync.yaml").read_text("utf-8")
    for mark, word in words.items():
        text = text.replace(f"@{mark}@", _quoted(word))
    return text


def _quoted(word: str) -> str:
    return json.dumps(word.replace("${", "$${"), ensure_ascii=False)  # a JSON text is a YAML text
