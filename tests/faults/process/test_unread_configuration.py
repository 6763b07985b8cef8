"""What the machine lacks while the configuration is read is no mistake in it: systemd has to start the unit again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import needs
from tests.e2e.installation import MAPPING, environment

pytestmark = needs.program("strace")

PLUGIN = """
from cgsync.api import SourceType, hook


@hook
def cgsync_source_types():
    return [SourceType(name="desk", options_schema={"type": "object"}, sample="{}", open=None)]
"""


class Office:
    """A configuration that is spread over files of every sort."""

    def __init__(self, folder: Path) -> None:
        self.main = folder / "cgsync.yaml"
        self.included = folder / "more.yaml"
        self.secret = folder / "secret"
        self.lookup = folder / "accounts.csv"
        self.contract = folder / "contract.json"
        self.plugin = folder / "plugins" / "desk.py"
        self.plugin.parent.mkdir(mode=0o700)
        self.plugin.write_text(PLUGIN)
        self.secret.write_text("sandbox")
        self.lookup.write_text("domain,account\nacme.example,Acme\n")
        self.contract.write_text("{}")
        self.included.write_text(f"sources:\n  tickets:\n    every: 1h\n    desk: {{}}{MAPPING}")
        self.main.write_text(
            "customergauge:\n  url: http://127.0.0.1:9/activities\n  token_url: http://127.0.0.1:9/token\n"
            f"  client_id: sandbox\n  client_secret: ${{file:{self.secret}}}\n"
            f"state_dir: {folder / 'state'}\nplugin_dir: {self.plugin.parent}\n"
            f"contract: {{ schema: {self.contract} }}\n"
            f"lookups:\n  accounts: {{ file: {self.lookup}, key: domain, value: account }}\ninclude: {self.included}\n"
        )

    def run(self, file: Path, error: str) -> subprocess.CompletedProcess[str]:
        """Type `cgsync run` while nobody can open that file."""
        fault = ["-e", "trace=openat", "-e", f"inject=openat:error={error}", "-P", str(file)]
        command = [sys.executable, "-m", "cgsync", "-c", str(self.main), "run"]
        strace = ["strace", "-f", "-qq", "-o", "/dev/null", *fault]
        return subprocess.run(
            [*strace, *command], capture_output=True, text=True, env=environment(), timeout=60, check=False
        )


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("EMFILE", "Too many open files"),
        ("ENFILE", "Too many open files in system"),
        ("ENOMEM", "Cannot allocate memory"),
        ("EIO", "Input/output error"),
    ],
)
def test_what_the_machine_lacks_ends_with_a_status_that_is_restarted(office: Office, error: str, words: str) -> None:
    ended = office.run(office.main, error)
    assert (ended.returncode, ended.stderr) == (1, f"cgsync: {office.main} cannot be read: {words}\n")


@pytest.mark.parametrize(
    "which",
    [lambda o: o.included, lambda o: o.secret, lambda o: o.lookup, lambda o: o.contract, lambda o: o.plugin],
    ids=["included", "secret", "lookup", "contract", "plugin"],
)
def test_that_holds_for_each_file_that_it_names(office: Office, which: Callable[[Office], Path]) -> None:
    ended = office.run(which(office), "EMFILE")
    assert ended.returncode == 1, ended.stderr
    assert ended.stderr.startswith("cgsync: ")
    assert ended.stderr.endswith("cannot be read: Too many open files\n")


def test_a_file_that_may_not_be_read_is_a_mistake_in_the_configuration(office: Office) -> None:
    ended = office.run(office.main, "EACCES")
    assert ended.returncode == 78
    assert "run this as root or as the user of the service" in ended.stderr
