"""A plugin that is named is loaded, one that is broken harms itself alone, and no other is even imported."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from importlib import invalidate_caches
from pathlib import Path

import pytest

from cgsync import plugins
from cgsync.plugins import BrokenPlugin
from cgsync.plugins.soundness import reserved
from tests import needs

GOOD = """
from contextlib import asynccontextmanager
from cgsync.api import SourceType, hook

@asynccontextmanager
async def open_it(options, context):
    yield None

def kind(name="tickets", **changes):
    fields = dict(name=name, options_schema={"type": "object", "properties": {"url": {"type": "string"}}},
                  sample="url: https://example.com", open=open_it)
    return SourceType(**fields | changes)

@hook
def cgsync_source_types():
    return [kind()]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "plugins"
    made.mkdir(mode=0o700)
    return made


def load(folder: Path, text: str, name: str = "tickets") -> plugins.PluginTable:
    file = folder / f"{name}.py"
    file.write_text(text)
    file.chmod(0o600)
    return plugins.load([name], folder)


def reason(folder: Path, text: str, name: str = "tickets") -> str:
    table = load(folder, text, name)
    assert not table.types
    return table.broken[name].reason


def test_a_file_of_the_operators_own_is_a_plugin(folder: Path) -> None:
    assert load(folder, GOOD).types["tickets"].sample == "url: https://example.com"


def test_a_file_that_was_edited_is_read_again(folder: Path) -> None:
    load(folder, GOOD)
    assert load(folder, GOOD.replace("example.com", "example.org")).types["tickets"].sample.endswith("org")


def test_the_bundled_plugin_is_found_where_anyones_is() -> None:
    found = {each.name: each for each in plugins.installed()}
    assert (found["files"].distribution, found["files"].module) == ("cgsync", "cgsync_files")
    assert list(plugins.load(["files"]).types) == ["files"]


def test_names_are_those_of_entry_points_and_of_the_folder(folder: Path) -> None:
    (folder / "tickets.py").write_text("")
    assert {"files", "tickets"} <= set(plugins.names(folder))


def test_what_is_not_installed_is_broken() -> None:
    assert "is not installed" in plugins.load(["nope"]).broken["nope"].reason


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import nothing_of_that_name", "ModuleNotFoundError: No module named 'nothing_of_that_name'"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("class Odd(BaseException): pass\nraise Odd('odd')", "Odd: odd"),
        ("def cgsync_source_types(): return []", "has no hook"),
        ("this is no python", "SyntaxError"),
        (GOOD.replace("return [kind()]", "return None"), "has no hook"),
        (GOOD.replace("return [kind()]", "return kind()"), "must return a sequence"),
        (GOOD.replace("return [kind()]", "return ['tickets']"), "must return a sequence"),
        (GOOD.replace("return [kind()]", "return []"), "gives no source type 'tickets', only none"),
        (GOOD.replace("[kind()]", "[kind('other')]"), "gives no source type 'tickets', only 'other'"),
        (GOOD.replace("[kind()]", "[kind(), kind()]"), "'tickets' twice"),
        (GOOD.replace("return [kind()]", "return 1 / 0"), "ZeroDivisionError"),
        (GOOD.replace("types():", "types(config):"), "PluginValidationError"),
        (GOOD.replace("kind()]", "kind(open=None)]"), "open of 'tickets' cannot be called"),
        (GOOD.replace("kind()]", "kind(expand=1)]"), "expand of 'tickets' cannot be called"),
        (GOOD.replace("kind()]", "kind(sample=None)]"), "sample of 'tickets' is not a text"),
        (GOOD.replace("kind()]", "kind(sample='url: [')]"), "is not YAML"),
        (GOOD.replace("kind()]", "kind(sample='url: []')]"), "does not fit its schema: $.url"),
        (GOOD.replace("kind()]", "kind(presets={'a': 1})]"), "presets of 'tickets'"),
        (GOOD.replace("kind()]", "kind(options_schema={})]"), "not a JSON Schema of type object"),
        (GOOD.replace("kind()]", "kind(options_schema=[])]"), "not a JSON Schema of type object"),
    ],
)
def test_a_broken_plugin_is_said_to_be_in_words(folder: Path, text: str, words: str) -> None:
    assert words in reason(folder, text)


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ("{'type': 'object', 'properties': {'a': {'type': 'strin'}}}", "not valid at $.properties.a.type"),
        (
            "{'type': 'object', 'properties': {'a': {'$ref': 'https://example.com/s'}}}",
            "refers to 'https://example.com/s'",
        ),
        ("{'type': 'object', 'properties': {'a': {'$ref': 'cgsync:time'}}}", "refers to 'cgsync:time'"),
        ("{'type': 'object', 'properties': {'a': {'$ref': '#/$defs/gone'}}}", "which is not there"),
        ("{'type': 'object', '$id': 'https://example.com/s'}", "uses $id"),
        ("{'type': 'object', 'properties': {'a': {'pattern': '('}}}", "the pattern '(', which is not one"),
        ("{'type': 'object', 'patternProperties': {'(': {}}}", "the pattern '(', which is not one"),
        ("{'type': 'object', 'properties': {'a': {'type': 'string', 'default': 1}}}", "default that does not fit"),
        (
            "{'type': 'object', 'properties': {'a': {'$ref': 'cgsync:duration', 'default': '5'}}}",
            "default that does not",
        ),
        ("{'type': 'object', 'properties': {'a': {'default': object()}}}", "is not JSON"),
    ],
)
def test_an_options_schema_that_would_fail_later_is_refused_now(folder: Path, schema: str, words: str) -> None:
    text = GOOD.replace("kind()]", f"kind(sample='', options_schema={schema})]")
    assert words in reason(folder, text)


@pytest.mark.parametrize("name", ["every", "activity", "Tickets", "a b", ""])
def test_a_name_must_not_be_an_option_of_every_source(folder: Path, name: str) -> None:
    text = GOOD.replace("kind()]", f"kind({name!r})]")
    assert "name" in reason(folder, text, name)


def test_the_cores_own_options_are_known() -> None:
    assert {"every", "cron", "timezone", "jitter", "as", "when", "activity", "shared"} <= reserved()


def test_the_traceback_is_kept_for_the_author(folder: Path) -> None:
    broken = load(folder, "import nothing_of_that_name").broken["tickets"]
    assert 'tickets.py", line 1' in broken.traceback


def test_a_file_that_others_may_write_is_not_run(folder: Path, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    text = f"open({str(ran)!r}, 'w')\n" + GOOD
    (folder / "tickets.py").write_text(text)
    (folder / "tickets.py").chmod(0o666)
    assert "may be written by others" in plugins.load(["tickets"], folder).broken["tickets"].reason
    (folder / "tickets.py").chmod(0o600)
    folder.chmod(0o777)
    assert "may be written by others" in plugins.load(["tickets"], folder).broken["tickets"].reason
    assert not ran.exists()


@needs.root("give a file away")
def test_a_file_that_belongs_to_somebody_else_is_not_run(folder: Path) -> None:
    load(folder, GOOD)
    os.chown(folder / "tickets.py", 12345, 12345)
    assert "belongs to user 12345" in plugins.load(["tickets"], folder).broken["tickets"].reason


def test_a_name_that_two_offer_is_used_from_neither(folder: Path) -> None:
    assert "offered more than once" in reason(folder, GOOD.replace("tickets", "files"), "files")


@pytest.fixture
def distribution(tmp_path: Path) -> Iterator[Callable[[str, str], None]]:
    """Makes installed packages with an entry point each, for the length of a test."""
    site = tmp_path / "site"

    def install(name: str, code: str) -> None:
        meta = site / f"cgsync_source_{name}-1.2.dist-info"
        meta.mkdir(parents=True)
        (meta / "METADATA").write_text(f"Metadata-Version: 2.1\nName: cgsync-source-{name}\nVersion: 1.2\n")
        (meta / "entry_points.txt").write_text(f"[cgsync.sources]\n{name} = source_{name}_of_a_test\n")
        (site / f"source_{name}_of_a_test.py").write_text(code)

    sys.path.insert(0, str(site))
    invalidate_caches()
    yield install
    sys.path.remove(str(site))
    for name in [name for name in sys.modules if name.endswith("_of_a_test")]:
        del sys.modules[name]


def test_only_what_is_named_is_imported(distribution: Callable[[str, str], None]) -> None:
    distribution("named", GOOD.replace("tickets", "named"))
    distribution("other", GOOD.replace("tickets", "other"))
    assert list(plugins.load(["named"]).types) == ["named"]
    assert "source_other_of_a_test" not in sys.modules


def test_a_broken_distribution_is_named_and_the_others_go_on(distribution: Callable[[str, str], None]) -> None:
    distribution("named", GOOD.replace("tickets", "named"))
    distribution("bad", "raise SystemExit('licence expired')")
    table = plugins.load(["bad", "named"])
    assert list(table.types) == ["named"]
    bad = table.broken["bad"]
    assert isinstance(bad, BrokenPlugin)
    assert (bad.distribution, bad.version, bad.reason) == ("cgsync-source-bad", "1.2", "SystemExit: licence expired")
