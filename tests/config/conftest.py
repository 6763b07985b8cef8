"""A folder with a configuration in it, and a plugin of the operator's own that has options of every sort."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent, indent

import pytest

from cgsync.config import Config, ConfigInvalid, Diagnostic, load
from cgsync.secrets import Redactor

PLUGIN = """
from contextlib import asynccontextmanager

from cgsync.api import SourceType, hook


@asynccontextmanager
async def open_box(options, context):
    yield None


SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "host": {"type": "string", "description": "Where it is."},
        "port": {"type": "integer", "minimum": 1, "maximum": 65535, "default": 993},
        "password": {"type": "string", "x-secret": True},
        "wait": {"$ref": "cgsync:duration", "default": "90s"},
        "cap": {"$ref": "cgsync:size", "default": "64 KiB"},
        "folders": {"type": "array", "items": {"type": "string"}, "default": ["INBOX"]},
        "idle": {"type": "boolean"},
        "ratio": {"type": "number"},
        "auth": {
            "oneOf": [
                {"type": "object", "required": ["basic"], "additionalProperties": False,
                 "properties": {"basic": {"$ref": "#/$defs/basic"}}},
                {"type": "object", "required": ["token"], "additionalProperties": False,
                 "properties": {"token": {"type": "string", "x-secret": True}}},
            ]
        },
    },
    "$defs": {
        "basic": {
            "type": "object",
            "required": ["username"],
            "additionalProperties": False,
            "properties": {"username": {"type": "string"}, "password": {"type": "string", "x-secret": True}},
        }
    },
}


@hook
def cgsync_source_types():
    return [SourceType(name="box", options_schema=SCHEMA, sample="host: example.com", open=open_box)]
"""

TOP = """
customergauge:
  region: eu
  client_id: id
  client_secret: ${SECRET}
plugin_dir: plugins
"""

ACTIVITY = """
activity:
  account: "{{ record.company }}"
  type: Order
  source: Shop
  happened_at: "{{ record.at }}"
"""


class Folder:
    """A folder with a configuration; ``config`` writes and loads one, ``findings`` expects it to be refused."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.environ = {"SECRET": "from-the-environment", "HOME": str(path / "home")}
        self.redactor = Redactor()
        self.file = path / "cgsync.yaml"
        self.write("plugins/box.py", PLUGIN)

    def write(self, name: str, text: str | bytes, mode: int = 0o600) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else dedent(text).encode())
        file.chmod(mode)
        return file

    def config(self, text: str | bytes) -> Config:
        self.write(self.file.name, text)
        return load(self.file, environ=self.environ, redactor=self.redactor)

    def findings(self, text: str | bytes) -> tuple[Diagnostic, ...]:
        with pytest.raises(ConfigInvalid) as caught:
            self.config(text)
        return caught.value.diagnostics

    def finding(self, text: str | bytes) -> Diagnostic:
        (found,) = self.findings(text)
        return found

    def source(self, options: str, *, core: str = "", activity: str = ACTIVITY) -> str:
        """A whole configuration with one source ``support`` whose plugin is ``box``."""
        lines = dedent(core) + "box:\n" + indent(dedent(options) or "{}", "  ") + "\n" + dedent(activity)
        return TOP + "sources:\n  support:\n" + indent(lines, "    ")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    (tmp_path / "plugins").mkdir(mode=0o700)
    return Folder(tmp_path)


@pytest.fixture
def places(folder: Folder) -> Callable[[str | bytes], list[tuple[int, int, str]]]:
    """Line, column and path of every finding."""
    return lambda text: [(each.line, each.column, each.path) for each in folder.findings(text)]
