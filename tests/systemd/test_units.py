"""The units, judged by systemd's own tools without starting them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests import needs

UNITS = Path(__file__).parents[2] / "systemd"
NAMES = ("cgsync.service", "cgsync@.service")
ENOUGH_EXPOSURE = 1.5
"""What ``systemd-analyze security`` may say at most, of 10."""

pytestmark = needs.program("systemd-analyze", "systemd")


def settings(name: str) -> list[str]:
    lines = (UNITS / name).read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *map(str, arguments)], capture_output=True, text=True)


@pytest.mark.parametrize("name", NAMES)
def test_systemd_has_no_complaint_about_the_unit(name: str, tmp_path: Path) -> None:
    """The words count: for an unknown key ``verify`` complains and still exits with 0."""
    unit = tmp_path / name.replace("@", "@acme")
    unit.write_text((UNITS / name).read_text().replace("/opt/cgsync/bin/cgsync", "/bin/true"))  # verify wants it there
    seen = analyze("verify", unit)
    assert (seen.returncode, seen.stdout, seen.stderr) == (0, "", "")


@pytest.mark.parametrize("name", NAMES)
def test_the_unit_is_hardened(name: str) -> None:
    seen = analyze("security", "--offline=true", f"--threshold={round(ENOUGH_EXPOSURE * 10)}", UNITS / name)
    assert seen.returncode == 0, seen.stdout + seen.stderr


def test_a_tenant_differs_from_the_first_one_by_its_names_only() -> None:
    assert settings("cgsync@.service") == [_for_a_tenant(line) for line in settings("cgsync.service")]


def _for_a_tenant(line: str) -> str:
    key = line.partition("=")[0]
    if key == "Description":
        return f"{line} (%i)"
    if key in {"EnvironmentFile", "SyslogIdentifier", "StateDirectory", "RuntimeDirectory"}:
        return f"{line}-%i"
    return line.replace("/etc/cgsync/", "/etc/cgsync/%i/")


def test_a_refused_configuration_is_not_restarted() -> None:
    """The status 78 counts only from the main process, so nothing else may check the configuration first."""
    lines = settings("cgsync.service")
    assert "RestartPreventExitStatus=78" in lines
    assert not [line for line in lines if line.startswith("ExecStartPre=")]
