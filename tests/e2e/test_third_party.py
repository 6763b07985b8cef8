"""Plugins of third parties as packages of their own: a good one works like ours, a broken one harms only itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.installation import Site, eventually, orders

FIXTURES = Path(__file__).parent.parent / "fixtures"

NOTES = """
  notes:
    every: 1s
    notes: { texts: [first, second] }
    activity: { reference: "note-{{ record.text }}", account: Acme, type: Note, source: Notes, happened_at: 2026-03-04 }
"""
BROKEN = """
  broken:
    every: 1s
    broken: { anything: goes }
    activity: { account: Acme, type: Note, source: Broken, happened_at: "2026-03-04" }
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both packages, built and installed beside cgsync by pip."""
    target = tmp_path / "packages"
    packages = [str(FIXTURES / name) for name in ("cgsync-source-notes", "cgsync-source-broken")]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--disable-pip-version-check", "--target", str(target), *packages], check=True)
    monkeypatch.setenv("PYTHONPATH", str(target))


@pytest.mark.usefixtures("installed")
def test_a_good_plugin_works_beside_ours_and_a_broken_one_is_named_with_its_package(site: Site) -> None:
    site.put("a.csv", orders(3))
    site.write(sources=site.source("orders", site.drop) + NOTES + BROKEN)
    site.running()
    eventually(lambda: len(site.sandbox.activities) == 5)
    assert {"note-first", "note-second"} < set(site.sandbox.activities)
    [trouble] = site.json("status")["trouble"]
    assert "cgsync-source-broken 0.3.1" in trouble["words"]
    assert "libtelephone 4" in trouble["words"]
    listed = {each["name"]: each for each in site.json("plugin", "list")}
    assert listed["notes"]["state"] == "ok"
    assert listed["notes"]["distribution"] == "cgsync-source-notes"
    assert listed["broken"]["state"] == "broken"
    assert listed["broken"]["version"] == "0.3.1"
