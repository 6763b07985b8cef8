"""Every run of pytest loads the plugin, also those that have nothing to do with cgsync."""

from __future__ import annotations

import subprocess
import sys


def test_it_imports_next_to_nothing() -> None:
    lines = ["import sys, pytest", "before = set(sys.modules)", "import cgsync.testing.pytest_plugin"]
    code = "\n".join([*lines, "print(*set(sys.modules) - before)"])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= {"cgsync", "cgsync.testing", "cgsync.testing.pytest_plugin"}
