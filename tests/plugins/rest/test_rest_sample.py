"""Sample and README are complete and true, and every option is used by a test."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from cgsync_rest import cgsync_source_types
from cgsync_rest.schema import OPTIONS_SCHEMA

from cgsync.http import HTTP_PROPERTIES
from cgsync.plugins.soundness import check
from cgsync.plugins.vocabulary import typed as scalar
from cgsync.testing import as_opened, context

FOLDER = files("cgsync_rest")
README = FOLDER.joinpath("README.md").read_text(encoding="utf-8")
SAMPLE = FOLDER.joinpath("sample.yaml").read_text(encoding="utf-8")
TESTS = "\n".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("*.py"))
KIND = cgsync_source_types()[0]
EXAMPLES = re.findall(r"^```yml\n((?:.*\n)*?)```$", README, re.MULTILINE)


def options(schema: Mapping[str, Any], place: str = "rest") -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Each option at any depth: where it stands, its name, its schema. What other homes describe is not ours."""
    for name, below in schema.get("properties", {}).items():
        yield f"{place}.{name}", name, below
        yield from () if place == "rest" and name in {*HTTP_PROPERTIES, "decode"} else options(below, f"{place}.{name}")
    for keyword in ("items", "additionalProperties", "then", "else"):
        if isinstance(schema.get(keyword), Mapping):
            yield from options(schema[keyword], place)


OPTIONS = list(options(OPTIONS_SCHEMA))


def test_the_type_is_sound() -> None:
    check(KIND)


def test_the_walk_finds_options_at_every_depth() -> None:
    places = {place for place, _, _ in OPTIONS}
    assert {"rest.url", "rest.paginate.offset.total_path", "rest.enrich.batch.ids", "rest.errors.do"} <= places
    assert {"rest.for_each.parent.request.paginate.page.start", "rest.records.expand.keep_parent"} <= places


def test_every_option_says_what_it_is() -> None:
    assert [place for place, _, schema in OPTIONS if "description" not in schema] == []


def test_every_option_is_in_the_readme() -> None:
    assert [place for place, name, _ in OPTIONS if not re.search(rf"\b{name}\b", README)] == []


def test_every_option_is_exercised_by_a_test() -> None:
    """As a key of the options that a test hands over, so not in this file's own list of names."""
    assert [place for place, name, _ in OPTIONS if not re.search(rf"[\"']{name}[\"']|\b{name}=", TESTS)] == []


def test_the_readme_shows_the_sample() -> None:
    assert f"```yml\n{SAMPLE}```" in README


@pytest.mark.parametrize("text", EXAMPLES)
async def test_every_example_of_the_readme_can_be_opened(text: str) -> None:
    given = yaml.load(text.replace("${API_SECRET}", "a secret"), Loader=yaml.BaseLoader)
    async with KIND.open(as_opened(KIND, typed(given)), context()):
        pass


def typed(value: Any) -> Any:
    """Scalars as the configuration reads them."""
    if isinstance(value, dict):
        return {key: typed(each) for key, each in value.items()}
    return [typed(each) for each in value] if isinstance(value, list) else scalar(value)


async def test_nothing_is_asked_before_the_first_fetch() -> None:
    """The address leads nowhere."""
    async with KIND.open(as_opened(KIND, {"url": "https://nowhere.invalid/x", "key": "id"}), context()) as source:
        assert source is not None
