"""The composed schema is what editors see: current, complete, and of one mind with the daemon."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from cgsync import plugins
from cgsync.config import json_schema, load
from cgsync.config.findings import Findings
from cgsync.config.nodes import plain
from cgsync.config.schema import PRESET
from cgsync.config.yaml import parse

from .conftest import Desk, Folder

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "config.example.yaml"
BUNDLED = ["files", "imap", "rest"]
AGAIN = "python -m cgsync schema config | python -m json.tool --no-ensure-ascii --indent 2 > schemas/config.schema.json"


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return json_schema(plugins.load(BUNDLED).types)


def test_the_published_schema_is_current(schema: dict[str, Any]) -> None:
    published = json.loads((ROOT / "schemas" / "config.schema.json").read_text())
    assert published == schema, f"make it anew: {AGAIN}"


def test_the_published_schema_needs_nothing_else(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)
    references = re.findall(r'"\$ref": "([^"]*)"', json.dumps(schema))
    assert references
    for reference in references:
        found: Any = schema
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]


def test_the_plugins_options_are_part_of_it(folder: Folder) -> None:
    table = plugins.load(["box"], folder.path / "plugins")
    composed = json_schema(table.types)
    judge = Draft202012Validator(composed)
    text = folder.source("auth: { basic: { username: x } }\nwait: 5m")
    assert judge.is_valid(_document(text))
    assert not judge.is_valid(_document(folder.source("auth: { basic: { usrname: x } }")))
    assert not judge.is_valid(_document(folder.source("wait: 5")))
    assert not judge.is_valid(_document(folder.source("host: x", core="evry: 5m\n")))


def test_a_preset_brings_what_would_be_required(desk: Desk) -> None:
    """An editor wants what the preset asks for, and nothing that it knows."""
    composed = json_schema(plugins.load(["desk", "files"], desk.path / "plugins").types)
    Draft202012Validator.check_schema(composed)
    judge = Draft202012Validator(composed)
    given = "with: { domain: acme.desk.example, key: the-secret-key }\n"
    own = "desk: { params: { include: company } }\nactivity: { type: Call }\n"
    for text in (given, given + own):
        assert not list(judge.iter_errors(_document(desk.text(text))))
        assert judge.is_valid(_document(desk.text(text, "preset: desk/tickets\n")))
    for text in (
        "",
        "with: { domain: x }",
        given.replace("key", "kye"),
        given + "desk: { prams: {} }",
        given + "evry: 5m",
    ):
        assert not judge.is_valid(_document(desk.text(text)))
    assert not judge.is_valid(_document(desk.text(given, "preset: ticket\n")))
    assert not judge.is_valid(_document(desk.text(given + own, "")))


def _document(text: str) -> Any:
    root = parse(text, Path("c.yaml"), Findings())
    assert root is not None
    return plain(root)


def test_the_example_is_valid_for_editor_and_daemon(schema: dict[str, Any]) -> None:
    assert not list(Draft202012Validator(schema).iter_errors(_document(EXAMPLE.read_text())))
    config = load(EXAMPLE, environ={"CG_CLIENT_ID": "id", "CG_CLIENT_SECRET": "a-secret", "HOME": "/root"})
    assert list(config.sources) == ["orders"]
    assert not config.warnings


def test_the_example_mentions_every_option(schema: dict[str, Any]) -> None:
    mentioned = set(re.findall(r"([a-z0-9_]+):(?= |\n)", EXAMPLE.read_text()))
    assert _options(schema) - mentioned == set()


def _options(schema: Any) -> set[str]:
    if isinstance(schema, list):
        return {name for each in schema for name in _options(each)}
    if not isinstance(schema, dict):
        return set()
    own = {key: each for key, each in schema.items() if key not in ("default", "enum") and not key.startswith(PRESET)}
    below = {name for each in own.values() for name in _options(each)}
    return below | set(schema.get("properties", {}))


def test_a_commented_option_of_the_example_is_one() -> None:
    """Each ``# name: value`` may be uncommented as it stands."""
    lines = EXAMPLE.read_text().splitlines()
    known = _options(json_schema(plugins.load(BUNDLED).types))
    offered = [found[1] for line in lines if (found := re.match(r" *# +([a-z_]+): ", line))]
    assert set(offered) - known == {"helpdesk", "tickets"}, "those are names of the user's own"


def test_checking_the_example_costs_little() -> None:
    environ = {"CG_CLIENT_ID": "id", "CG_CLIENT_SECRET": "a-secret", "HOME": "/root"}
    start = time.process_time()
    load(EXAMPLE, environ=environ)
    assert time.process_time() - start < 0.4


def test_many_sources_are_checked_in_no_time(folder: Folder) -> None:
    one = folder.source("host: x\nauth: { basic: { username: x } }")
    head, body = one.split("  support:\n")
    text = head + "".join(f"  s{n}:\n{body}\n" for n in range(200))
    start = time.process_time()
    assert len(folder.config(text).sources) == 200
    assert time.process_time() - start < 5
