"""What a test needs of the machine: where that is missing it is skipped, with words that say what to install."""

from __future__ import annotations

import os
import shutil

import pytest


def given(found: object, words: str) -> pytest.MarkDecorator:
    """Skips where nothing was found; ``words`` name what is needed."""
    return pytest.mark.skipif(not found, reason=f"needs {words}")


def program(name: str, package: str = "") -> pytest.MarkDecorator:
    """A command on the path; ``package`` is Debian's, where it has another name."""
    return given(shutil.which(name), f"{name}: apt-get install {package or name}")


def root(deed: str) -> pytest.MarkDecorator:
    return given(os.geteuid() == 0, f"root: nobody else can {deed}")
