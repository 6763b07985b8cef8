"""The sample is written once, and shown where people look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

import pytest
from cgsync_imap import cgsync_source_types
from cgsync_imap.filters import KINDS
from cgsync_imap.schema import OPTIONS_SCHEMA, SKIP

from cgsync.formats import AUTOMATIC
from cgsync.plugins.soundness import check
from cgsync.testing import as_opened, context

README = files("cgsync_imap").joinpath("README.md").read_text(encoding="utf-8")


def test_the_type_is_sound_and_its_keys_are_forgeable() -> None:
    kind = cgsync_source_types()[0]
    check(kind)
    assert kind.forgeable_keys


def test_the_readme_shows_the_sample() -> None:
    sample = files("cgsync_imap").joinpath("sample.yaml").read_text(encoding="utf-8")
    assert f"```yml\n{sample}```" in README


def options(schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, option in {**schema.get("properties", {}), **schema.get("else", {}).get("properties", {})}.items():
        yield name, option
        yield from options(option)


@pytest.mark.parametrize(("name", "option"), list(options(OPTIONS_SCHEMA)))
def test_every_option_says_what_it_is(name: str, option: Mapping[str, Any]) -> None:
    assert option.get("description"), name


@pytest.mark.parametrize("name", OPTIONS_SCHEMA["properties"])
def test_the_readme_knows_every_option(name: str) -> None:
    assert f"`{name}" in README


def test_every_kind_of_automatic_mail_has_a_switch() -> None:
    assert set(KINDS) == set(AUTOMATIC)
    assert set(KINDS.values()) | {"from"} == set(SKIP["properties"])


async def test_a_server_that_does_not_exist_can_be_opened() -> None:
    """Nobody is asked before the first fetch."""
    kind = cgsync_source_types()[0]
    given = as_opened(kind, {"host": "nowhere.invalid", "username": "somebody", "password": "secret"})
    async with kind.open(given, context()) as source:
        assert source is not None
