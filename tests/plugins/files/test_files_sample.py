"""The sample is written once, and shown where people look."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from cgsync_files import cgsync_source_types
from cgsync_files.schema import OPTIONS_SCHEMA
from cgsync_files.settings import Settings

from cgsync.api import Source
from cgsync.plugins.soundness import check
from cgsync.testing import as_opened, context


def test_the_type_is_sound() -> None:
    check(cgsync_source_types()[0])


def test_the_readme_shows_the_sample() -> None:
    folder = files("cgsync_files")
    sample = folder.joinpath("sample.yaml").read_text(encoding="utf-8")
    assert f"```yml\n{sample}```" in folder.joinpath("README.md").read_text(encoding="utf-8")


def test_every_option_says_what_it_is() -> None:
    def silent(schema: Mapping[str, Any], place: str) -> list[str]:
        options = schema.get("properties", {})
        found = [f"{place}.{name}" for name, option in options.items() if "description" not in option]
        return found + [name for key, option in options.items() for name in silent(option, f"{place}.{key}")]

    assert silent(OPTIONS_SCHEMA, "files") == []


def test_defaults_of_the_schema_are_those_of_the_code() -> None:
    """A source opened without the schema, as by another plugin's tests, behaves the same."""
    bare = {"path": "/srv/drop", "key": "no"}
    assert Settings.of(as_opened(cgsync_source_types()[0], bare)) == Settings.of(bare)


async def test_a_folder_that_does_not_exist_yet_can_be_opened() -> None:
    kind = cgsync_source_types()[0]
    options = as_opened(kind, {"path": "/does/not/exist", "key": "no"})
    async with kind.open(options, context()) as source:
        found: Source = source
        assert found is not None
