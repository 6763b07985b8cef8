"""A plugin that was just begun is one that works."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Said

Typed = Callable[..., Said]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_new_plugin_passes_its_own_tests(type_it: Typed, here: Path) -> None:
    said = type_it("plugin", "new", "call-log")
    assert said.status == 0
    assert "cgsync plugin verify cgsync-source-call-log" in said.out
    assert type_it("plugin", "verify", "cgsync-source-call-log").status == 0


def test_tests_that_fail_are_no_success(type_it: Typed, here: Path) -> None:
    type_it("plugin", "new", "calls", "--folder", "mine")
    module = here / "mine" / "cgsync_calls.py"
    module.write_text(module.read_text().replace("read + len(found)}", "object()}"))
    assert type_it("plugin", "verify", "mine").status == 1


def test_it_is_as_clean_as_our_own_code(type_it: Typed, here: Path) -> None:
    """It is what people go on from."""
    type_it("plugin", "new", "calls")
    folder = here / "cgsync-source-calls"
    for tool in (["ruff", "check", "--config", ROOT / "pyproject.toml"], ["mypy", "--strict"]):
        done = subprocess.run([sys.executable, "-m", *tool, "."], cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["Calls", "every", "preset", "a b", "../up", "9"])
def test_what_can_be_no_plugin_is_refused(type_it: Typed, here: Path, name: str) -> None:
    assert type_it("plugin", "new", name).status == 2
    assert list(here.iterdir()) == []


def test_nothing_is_written_over(type_it: Typed, here: Path) -> None:
    type_it("plugin", "new", "calls")
    assert "is there already" in type_it("plugin", "new", "calls").err


def test_what_cannot_be_verified_is_said(type_it: Typed, here: Path) -> None:
    assert "there is no plugin 'fils', did you mean files?" in type_it("plugin", "verify", "fils").err
    said = type_it("plugin", "verify", "files")
    assert (said.status, "there are no tests in" in said.err) == (1, True)
