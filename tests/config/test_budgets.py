"""Budgets: rates that sources share by name."""

from __future__ import annotations

import pytest

from .conftest import PLUGIN, Folder

LIMIT = '"properties": {\n        "rate_limit": {"type": ["string", "object"]},'


@pytest.fixture
def limited(folder: Folder) -> Folder:
    """The plugin has an option that names a budget."""
    folder.write("plugins/box.py", PLUGIN.replace('"properties": {', LIMIT, 1))
    return folder


def text(folder: Folder, budgets: str, limit: str) -> str:
    return folder.source(f"rate_limit: {limit}").replace("plugin_dir:", f"budgets: {budgets}\nplugin_dir:")


def test_budgets_are_rates_a_second(folder: Folder) -> None:
    loaded = folder.config(
        text(folder, "{ one: 50/m, two: 10/s, three: 3600/h, four: 86400/d }", "").replace("rate_limit:", "")
    )
    assert loaded.budgets == {"one": 50 / 60, "two": 10.0, "three": 1.0, "four": 1.0}
    assert folder.config(folder.source("host: x")).budgets == {}


@pytest.mark.parametrize(
    ("budgets", "path", "words"),
    [
        ("{ one: 0/s }", "budgets.one", "must be more than 0"),
        ("{ one: 50 }", "budgets.one", 'does not have the form that is wanted: the text "50"'),
        ("{ one: 5/w }", "budgets.one", "does not have the form that is wanted"),
        ("{ 1-one: 5/s }", "budgets.1-one", "this name cannot be used"),
        ("[5/s]", "budgets", "must be a mapping"),
    ],
)
def test_what_is_no_budget_is_refused(folder: Folder, budgets: str, path: str, words: str) -> None:
    found = folder.finding(text(folder, budgets, "").replace("rate_limit:", ""))
    assert found.path == path
    assert words in found.message


def test_a_source_may_name_one(limited: Folder) -> None:
    assert limited.config(text(limited, "{ desk: 50/m }", "{ budget: desk }")).sources["support"]


def test_one_that_is_not_there_is_found_before_anything_runs(limited: Folder) -> None:
    found = limited.finding(text(limited, "{ desk: 50/m }", "{ budget: desc }"))
    assert found.path == "sources.support.box.rate_limit.budget"
    assert found.message == 'there is no such budget, did you mean "desk"?'
    found = limited.finding(text(limited, "{}", "{ budget: desk }"))
    assert found.help == "declare it at the top: budgets: { desk: 50/m }"
