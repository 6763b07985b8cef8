"""The public door: every name is there, and costs nothing before it is asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cgsync import http

LIGHT = """
import sys
from cgsync.http import HTTP_PROPERTIES, Pace
print(*sorted(name for name in sys.modules if name.split(".")[0] in ("aiohttp", "jwt", "cryptography", "yarl")))
"""


@pytest.mark.parametrize("name", http.__all__)
def test_each_name_is_there(name: str) -> None:
    assert getattr(http, name) is not None


def test_no_name_is_hidden() -> None:
    assert sorted(name for names in http.HOMES.values() for name in names) == sorted(http.__all__)


def test_what_is_not_there_is_said() -> None:
    with pytest.raises(AttributeError, match=r"cgsync\.http.*no attribute 'nothing'"):
        http.nothing  # noqa: B018 - to ask is the test


def test_the_options_cost_no_client_library() -> None:
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
