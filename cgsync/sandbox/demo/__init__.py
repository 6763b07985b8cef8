"""Sample exports and a configuration for them, so that there is something to see at once."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

EXPORTS = ("orders.csv", "tickets.ndjson", "calls.json")
ACTIVITIES, REJECTS, FILTERED = 131, 2, 3
"""What becomes of the records of the exports under the demo's configuration."""


def write_demo(folder: Path, sandbox_url: str, token_url: str) -> Path:
    """Write the sample exports into ``folder/drop`` and return the path of a ``cgsync.yaml`` that reads them.

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
    path.write_text(_configuration(folder.resolve(), sandbox_url, token_url), "utf-8")
    return path


def _configuration(folder: Path, sandbox_url: str, token_url: str) -> str:
    text = (resources.files(__package__) / "cgsync.yaml").read_text("utf-8")
    words = {"@drop@": folder / "drop", "@state_dir@": folder / "state", "@url@": sandbox_url, "@token_url@": token_url}
    for mark, word in words.items():
        text = text.replace(mark, _quoted(str(word)))
    return text


def _quoted(word: str) -> str:
    return json.dumps(word.replace("${", "$${"), ensure_ascii=False)  # a JSON text is a YAML text
