"""What is shipped is what was written: folder, wheel, entry points and locks agree, and strangers' plugins load."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import needs

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
BUNDLED = sorted(path.name for path in (ROOT / "plugins").iterdir() if (path / "__init__.py").exists())
BROKEN = ROOT / "tests" / "fixtures" / "cgsync-source-broken"


def python(*arguments: str | Path, **environment: str) -> str:
    """Run this interpreter outside the checkout and return what it printed."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd="/",
        env=os.environ | environment,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def install(target: Path, *packages: Path) -> None:
    """As ``pip install`` does it, without asking any index."""
    python(
        "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index", "--target", target, *packages
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=ROOT, check=True,
                   capture_output=True)  # fmt: skip
    (built,) = folder.glob("*.whl")
    return built


def test_the_plugin_folder_the_wheel_and_the_entry_points_agree() -> None:
    packages = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    modules = PROJECT["project"]["entry-points"]["cgsync.sources"]
    assert packages == ["cgsync", *(f"plugins/{name}" for name in BUNDLED)]
    assert modules == {name.removeprefix("cgsync_"): name for name in BUNDLED}


@pytest.mark.parametrize("name", BUNDLED)
def test_every_bundled_plugin_has_the_same_shape(name: str) -> None:
    folder = ROOT / "plugins" / name
    assert (folder / "README.md").is_file()
    assert yaml.safe_load((folder / "sample.yaml").read_text())


def test_the_installed_entry_points_are_those_of_the_checkout() -> None:
    """A stale editable install would test yesterday's plugins."""
    installed = {each.name: each.value for each in entry_points(group="cgsync.sources")}
    assert installed == PROJECT["project"]["entry-points"]["cgsync.sources"]


@needs.program("git")
def test_the_wheel_holds_every_file_of_its_packages(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert _tracked("cgsync/", "") | _tracked("plugins/", "plugins/") | _tracked("schemas/", "", "cgsync/") <= names


def _tracked(under: str, cut: str, put: str = "") -> set[str]:
    listed = subprocess.run(["git", "ls-files", "-z", under], cwd=ROOT, capture_output=True, text=True, check=True)
    files = [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]  # not the symbolic link
    return {put + name.removeprefix(cut) for name in files}


def test_a_program_installed_from_the_wheel_finds_what_it_reads(wheel: Path, tmp_path: Path) -> None:
    install(tmp_path, wheel)
    code = "import cgsync; from cgsync.cli import main; print(cgsync.__file__, flush=True); main()"
    where, _, schema = python("-c", code, "schema", "activity", PYTHONPATH=str(tmp_path)).partition("\n")
    assert Path(where).is_relative_to(tmp_path)
    assert json.loads(schema)["type"] == "object"


def test_a_broken_plugin_is_named_with_its_distribution_and_harms_no_other(tmp_path: Path) -> None:
    install(tmp_path, BROKEN)
    code = (
        "import json; from cgsync.plugins import load; table = load(['files', 'broken']); bad = table.broken['broken'];"
        "print(json.dumps([sorted(table.types), bad.distribution, bad.version, bad.reason, bad.traceback]))"
    )
    types, distribution, version, reason, traceback = json.loads(python("-c", code, PYTHONPATH=str(tmp_path)))
    assert types == ["files"]
    assert (distribution, version) == ("cgsync-source-broken", "0.3.1")
    assert "libtelephone 4" in reason
    assert "cgsync_source_broken.py" in traceback


@pytest.mark.parametrize("name", ["run", "build", "dev", "roundup"])
def test_what_is_locked_is_locked_by_hash_and_names_no_index(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    assert set(_pins(text)) == set(re.findall(r"^(\S+)==\S+[^\n]* \\\n    --hash=sha256:", text, re.MULTILINE))
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links", text)


def test_the_tests_run_with_the_versions_that_are_shipped() -> None:
    run, dev = (_pins((ROOT / "requirements" / f"{name}.txt").read_text()) for name in ("run", "dev"))
    assert run.items() <= dev.items()


def _pins(text: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z][\w.-]*)==([^\s;\\]+)", text, re.MULTILINE))
