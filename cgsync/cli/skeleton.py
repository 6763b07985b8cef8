"""The files of a new plugin: they work, and pass the conformance kit, before the author has changed a line."""

from __future__ import annotations

from collections.abc import Mapping

PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "cgsync-source-@NAME@"
version = "0.1.0"
description = "@NAME@ as a source of cgsync"
requires-python = ">=3.11"
dependencies = ["cgsync"]

[project.optional-dependencies]
test = ["pytest", "pytest-asyncio"]

[project.entry-points."cgsync.sources"]
@NAME@ = "@MODULE@"

[tool.hatch.build.targets.wheel]
only-include = ["@MODULE@.py"]

[tool.pytest.ini_options]
asyncio_default_fixture_loop_scope = "function"
"""

MODULE = '''\
"""@NAME@ as a source: the objects of a JSON file, in the order in which they stand there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from cgsync.api import Batch, Context, Cursor, Record, SourceMisconfigured, SourceType, SourceUnavailable, hook

OPTIONS = {
    "type": "object",
    "required": ["path"],
    "additionalProperties": False,
    "properties": {
        "path": {"type": "string", "description": "A JSON file with a list of objects that have an id."},
        "batch": {"type": "integer", "minimum": 1, "maximum": 500, "default": 200, "description": "Records at a time."},
    },
}
SAMPLE = """\\
path: /var/lib/@NAME@.json   # a list of objects that have an id
"""


class Source:
    """The objects behind a place in the list. An API has a better cursor: a time of change, or a token."""

    def __init__(self, path: Path, batch: int) -> None:
        self._path = path
        self._batch = batch

    async def fetch(self, cursor: Cursor) -> Batch | None:
        read = cursor.get("read", 0)
        assert isinstance(read, int)
        found = (await asyncio.to_thread(self._objects))[read : read + self._batch]
        if not found:
            return None
        return Batch(records=[_record(each) for each in found], cursor={"read": read + len(found)})

    async def check(self) -> str:
        return f"{len(await asyncio.to_thread(self._objects))} records"

    def _objects(self) -> list[Mapping[str, Any]]:
        try:
            objects: list[Mapping[str, Any]] = json.loads(self._path.read_bytes())
        except FileNotFoundError:  # a human must act
            raise SourceMisconfigured(f"{self._path} does not exist", hint="correct `path:`") from None
        except (OSError, ValueError) as error:  # perhaps it is being written: it is tried again
            raise SourceUnavailable(f"{self._path}: {error}") from error
        return objects


def _record(each: Mapping[str, Any]) -> Record:
    return Record(key=str(each["id"]), data=each, position=f"@NAME@ {each['id']}")


@asynccontextmanager
async def open_source(options: Mapping[str, Any], context: Context) -> AsyncIterator[Source]:
    context.log.debug("reading", path=options["path"])
    yield Source(Path(options["path"]), options["batch"])


@hook
def cgsync_source_types() -> Sequence[SourceType]:
    return [SourceType(name="@NAME@", options_schema=OPTIONS, sample=SAMPLE, open=open_source)]
'''

TEST = '''\
"""The contract of a source, as cgsync tests it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cgsync.testing import SourceConformance

from @MODULE@ import cgsync_source_types


class TestConformance(SourceConformance):
    source_type = cgsync_source_types()[0]
    keys = frozenset({"1", "2", "3"})

    @pytest.fixture
    def options(self, tmp_path: Path) -> Mapping[str, Any]:
        """Put something to read in place, and say where."""
        path = tmp_path / "objects.json"
        path.write_text(json.dumps([{"id": 1}, {"id": 2}, {"id": 3}]))
        return {"path": str(path), "batch": 2}
'''

README = """\
# @NAME@ as a source of cgsync

    pip install .
    cgsync plugin show @NAME@

    cgsync plugin verify .        # the tests; they want pip install '.[test]'
"""


def files(name: str) -> Mapping[str, str]:
    """Text by file name, for a plugin of that name."""
    module = module_of(name)
    texts = {"pyproject.toml": PROJECT, f"{module}.py": MODULE, f"test_{module}.py": TEST, "README.md": README}
    return {file: text.replace("@NAME@", name).replace("@MODULE@", module) for file, text in texts.items()}


def module_of(name: str) -> str:
    return f"cgsync_{name.replace('-', '_')}"
