"""What holds for each preset's text: it is sound, explained, and stands in for somebody's documentation."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from cgsync_rest import cgsync_source_types

from cgsync import config
from cgsync.plugins import presets
from tests.plugins.presets.vendors import VENDORS, WITH_EVENTS

ROOT = Path(__file__).parents[3]
PAGES = ROOT / "docs" / "presets"
(REST,) = cgsync_source_types()
NAMES = sorted(REST.presets)
SECRETS = {"key", "token", "password", "secret", "client_secret"}
KNOWN_TO_ALL = {("gong", "key")}
"""an access key that is half of a pair, and not the secret half"""


def page_of(name: str) -> str:
    """The page that the table in the README gives for the preset."""
    table = (PAGES / "README.md").read_text()
    (row,) = [line for line in table.splitlines() if line.startswith("| [") and f"`{name}`" in line]
    found = re.search(r"\((\S+)\)", row)
    assert found
    return (PAGES / found[1]).read_text()


def properties_of(name: str) -> dict[str, Any]:
    given: dict[str, Any] = dict(presets.read(REST, name).given)
    return dict(given["properties"])


def test_each_preset_is_tried_against_a_stand_in() -> None:
    assert sorted(vendor.preset for vendor in VENDORS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_fits_the_options_of_the_source(name: str) -> None:
    assert presets.read(REST, name).title


@pytest.mark.parametrize("name", NAMES)
def test_each_thing_to_give_is_described_and_secrets_are_marked(name: str) -> None:
    for option, schema in properties_of(name).items():
        assert schema["description"]
        assert schema.get("x-secret", False) == (option in SECRETS and (name, option) not in KNOWN_TO_ALL)


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.preset)
def test_the_least_that_a_user_writes_is_a_source(vendor: Any, tmp_path: Path) -> None:
    api = vendor()
    api.url = "https://vendor.example"
    receiver = {"region": "eu", "client_id": "presets", "client_secret": "a secret of the receiver"}
    path = tmp_path / "config.yaml"
    source = {"preset": vendor.preset, "with": api.given}
    path.write_text(json.dumps({"customergauge": receiver, "sources": {"tried": source}}))
    path.chmod(0o600)
    loaded = config.load(path, environ={})
    assert not loaded.warnings
    assert loaded.sources["tried"].type.name == "rest"


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_has_its_page_with_an_example(name: str) -> None:
    page = page_of(name)
    assert f"preset: {name}" in page
    assert f"`{name}`" in page
    for heading in ("## To look up", "## How it reads", "## What it rests on"):
        assert heading in page
    assert "Not confirmed:" in page


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_is_listed_in_the_readme_of_the_plugin(name: str) -> None:
    readme = (ROOT / "plugins" / "cgsync_rest" / "README.md").read_text()
    assert f"`{name}`" in readme


def test_the_mode_events_is_offered_where_records_change() -> None:
    assert {name for name in NAMES if "mode" in properties_of(name)} == {vendor.preset for vendor in WITH_EVENTS}
