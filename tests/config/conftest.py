"""A folder with a configuration in it, and a plugin of the operator's own that has options of every sort."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent, indent

import pytest

from cgsync.config import Config, ConfigInvalid, Diagnostic, load, show
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


PRESET = """
title: Tickets of Desk
with:
  type: object
  required: [domain, key]
  additionalProperties: false
  properties:
    domain: { type: string, description: "where it is, as acme.desk.example" }
    key: { type: string, x-secret: true, description: your API key }
    size: { type: integer, default: 100 }
    team: { type: string }
    teams: { type: array, items: { type: string } }
    mode: { enum: [ticket, events], default: ticket }
source:
  every: 10m
  desk:
    url: "https://${with.domain}/api"
    auth: { basic: { username: "${with.key}", password: X } }
    headers: { Authorization: "Token ${with.key}" }
    size: ${with.size}
    params: { team: "${with.team}", include: requester }
    teams: ["${with.team}", all]
    more: ${with.teams}
  as: ticket
  activity:
    reference: "desk-{{ ticket.id }}"
    account: "{{ ticket.company }}"
    type: Ticket
    source: Desk
    happened_at: "{{ ticket.at }}"
    additional_information_object: { url: "https://${with.domain}/t/{{ ticket.id }}", note: "$${with.domain}" }
modes:
  events: { activity: { reference: "desk-{{ ticket.id }}-{{ ticket.at }}" } }
"""

DESK = '''
from contextlib import asynccontextmanager

from cgsync.api import SourceType, hook


@asynccontextmanager
async def open_desk(options, context):
    yield None


PRESET = """@TEXT@"""
TEXTS = {"type": "array", "items": {"type": "string"}}
SCHEMA = {
    "type": "object",
    "required": ["url"],
    "additionalProperties": False,
    "properties": {
        "url": {"type": "string"},
        "auth": {
            "type": "object",
            "maxProperties": 1,
            "additionalProperties": False,
            "properties": {
                "basic": {
                    "type": "object",
                    "properties": {"username": {"type": "string"}, "password": {"type": "string", "x-secret": True}},
                },
                "token": {"type": "string", "x-secret": True},
            },
        },
        "paginate": {"oneOf": [{"required": ["page"]}, {"required": ["link"]}]},
        "headers": {"type": "object", "additionalProperties": {"type": "string"}},
        "params": {"type": "object", "additionalProperties": {"type": "string"}},
        "size": {"type": "integer"},
        "teams": TEXTS,
        "more": TEXTS,
    },
}


@hook
def cgsync_source_types():
    return [
        SourceType(
            name="NAME", options_schema=SCHEMA, sample="url: /", open=open_desk, presets={"tickets": PRESET}
        )
    ]
'''


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


class Desk(Folder):
    """A folder with a plugin ``desk`` that has a preset ``tickets``."""

    def plugin(self, name: str, preset: str) -> None:
        self.write(f"plugins/{name}.py", DESK.replace("@TEXT@", preset).replace("NAME", name))

    def text(self, source: str, preset: str = "preset: tickets\n") -> str:
        return TOP + "sources:\n  support:\n" + indent(preset + dedent(source), "    ")

    def origins(self, text: str) -> dict[str, tuple[object, str]]:
        self.config(text)
        found = show(self.file, environ=self.environ)
        return {each.path.removeprefix("sources.support."): (each.value, each.origin) for each in found}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    (tmp_path / "plugins").mkdir(mode=0o700)
    made = Desk(tmp_path)
    made.plugin("desk", PRESET)
    return made
