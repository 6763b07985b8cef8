"""An operator's folder: a configuration, a drop folder, and commands typed in it."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog

from cgsync import config
from cgsync.cli import main
from cgsync.daemon import assembled
from cgsync.secrets import Redactor

ORDERS = """\
order_no,company,ordered_at,note
1,Acme,2026-03-04 10:00:00,fine
2,Müller & Söhne,2026-03-04 11:00:00,"late, \x1b[31mred"
3,,2026-03-04 12:00:00,no company
4,Ltd,yesterday,no date
"""

MAPPING = """\
    as: order
    activity:
      reference: "order-{{ order.order_no }}"
      account: "{{ order.company }}"
      type: Order
      source: Shop export
      happened_at: "{{ order.ordered_at }}"
      additional_information_object: { note: "{{ order.note }}" }
"""


PLUGIN = """\
from contextlib import asynccontextmanager

from cgsync.api import Batch, Record, SourceType, hook


class Box:
    def __init__(self, log):
        self.log = log

    async def fetch(self, cursor):
        FETCH


@asynccontextmanager
async def open_box(options, context):
    yield Box(context.log)


@hook
def cgsync_source_types():
    return [SourceType(name="box", options_schema={"type": "object"}, sample="{}", open=open_box)]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Office:
    """The folder, and what is done in it."""

    def __init__(self, folder: Path, type_it: Callable[..., Said]) -> None:
        self.folder = folder
        self.type = type_it
        self.file = folder / "cgsync.yaml"
        self.drop = folder / "drop"
        self.drop.mkdir()
        (self.drop / "orders.csv").write_text(ORDERS, encoding="utf-8")
        self.write()

    def write(self, *, mapping: str = MAPPING, name: str = "orders", client: str = "me", top: str = "") -> None:
        self.file.write_text(
            "customergauge:\n  url: http://127.0.0.1:9/activities\n  token_url: http://127.0.0.1:9/token\n"
            f"  client_id: {client}\n  client_secret: a-secret-value\nstate_dir: {self.folder / 'state'}\n{top}"
            f"sources:\n  {name}:\n    every: 1h\n    files: {{ path: {self.drop}, include: '*.csv', key: order_no,"
            f" readiness: {{ rename: true }} }}\n{mapping}",
            encoding="utf-8",
        )
        self.file.chmod(0o600)

    def says(self, *words: str, status: int = 0) -> Said:
        """Type a command on this configuration; its exit status is the one that is expected."""
        said = self.type("-c", str(self.file), *words)
        assert said.status == status, said
        return said

    def read(self) -> None:
        """Poll the sources once, as a daemon whose receiver does not answer would."""
        asyncio.run(self._read())

    def plug(self, fetch: str) -> None:
        """Have the one source read by a plugin of the operator's own, whose ``fetch`` has this body."""
        plugins = self.folder / "plugins"
        plugins.mkdir(mode=0o700)
        (plugins / "box.py").write_text(PLUGIN.replace("FETCH", fetch))
        text = self.file.read_text()
        start, end = text.index("    files:"), text.index("    as:")
        self.file.write_text(f"plugin_dir: {plugins}\n{text[:start]}    box: {{}}\n{text[end:]}")

    async def _read(self) -> None:
        redactor = Redactor()
        structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
        async with assembled(config.load(self.file, redactor=redactor), redactor) as engine:
            await engine.assemble()
            for name in engine.sources:
                await engine.sources.drain(name)


@pytest.fixture
def type_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Said]]:
    """Types a command, as the console script would get it."""
    for name in [name for name in os.environ if name.startswith(("CGSYNC", "CREDENTIALS", "STATE_", "RUNTIME_"))]:
        monkeypatch.delenv(name)

    def typed(*words: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["cgsync", *words])
        status = 0
        try:
            main()
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else int(bool(ended.code))
        out, err = capsys.readouterr()
        return Said(status=status, out=out, err=err)

    yield typed
    structlog.reset_defaults()
    logging.basicConfig(force=True)
    logging.captureWarnings(capture=False)


@pytest.fixture
def office(tmp_path: Path, type_it: Callable[..., Said]) -> Office:
    return Office(tmp_path, type_it)


@pytest.fixture
def worked(office: Office) -> Office:
    """The sources were polled once: two orders wait, two are rejected."""
    office.read()
    return office
