"""The service under a real systemd: one boot of a container, one life, and what was seen of it."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from tests import needs

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NO_CONTAINER = 125
"""What ``boot`` ends with when this machine cannot boot a container."""
LAUNCHER = """\
#!/bin/sh
# an interpreter that was moved here would otherwise take the system's library
LD_LIBRARY_PATH={library} exec {python} -c '
import sys
sys.path[:0] = ["/opt/cgsync/src", "/opt/cgsync/src/plugins", "/opt/cgsync/packages"]
from cgsync.cli import main
main()
' "$@"
"""

Seen = dict[str, Any]

pytestmark = [
    pytest.mark.xdist_group("systemd"),
    needs.root("boot a container"),
    needs.program("systemd-nspawn", "systemd-container"),
]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """What the guest wrote down. The program is shown under /opt: the unit hides all home folders."""
    folder = tmp_path_factory.mktemp("guest")
    python, shown = _python()
    launcher = folder / "cgsync"
    launcher.write_text(LAUNCHER.format(python=python, library=Path(python).parents[1] / "lib"))
    launcher.chmod(0o755)
    for host, guest in (
        (ROOT, "/opt/cgsync/src"),
        (sysconfig.get_path("purelib"), "/opt/cgsync/packages"),
        (launcher, "/opt/cgsync/bin/cgsync"),
    ):
        shown += ["-b", f"{host}:{guest}"]
    out = folder / "out"
    out.mkdir()
    command = [HERE / "boot", *shown, "-o", out, "-t", "200", python, "/opt/cgsync/src/tests/systemd/guest.py"]
    done = subprocess.run([*command, "/out/seen.json"], capture_output=True, text=True)
    if done.returncode == NO_CONTAINER:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stdout + done.stderr
    found: Seen = json.loads((out / "seen.json").read_text())
    return found


def _python() -> tuple[str, list[str]]:
    """The interpreter's path in the guest, and what must be shown for it."""
    prefix, name = Path(sys.base_prefix), f"python{sys.version_info.major}.{sys.version_info.minor}"
    if prefix == Path("/usr"):
        return f"/usr/bin/{name}", []
    return f"/opt/python/bin/{name}", ["-b", f"{prefix}:/opt/python"]


def test_start_returns_when_it_is_ready(seen: Seen) -> None:
    assert seen["start"]["exit"] == 0, seen["start"]["said"] + seen["journal"]
    assert seen["start"]["state"] == "active"


def test_the_status_line_counts_the_sources(seen: Seen) -> None:
    assert "1 source" in seen["start"]["status"]


def test_folders_belong_to_the_service_and_the_socket_to_its_group(seen: Seen) -> None:
    assert seen["folders"] == {
        "/var/lib/cgsync": "0700 cgsync cgsync",
        "/run/cgsync": "0750 cgsync cgsync",
        "/run/cgsync/control.sock": "0660 cgsync cgsync",
        "ledger": ["0600 cgsync cgsync"],
    }


@pytest.mark.parametrize("person", ["root", "cgsync", "member"])
def test_root_and_the_group_may_command(seen: Seen, person: str) -> None:
    assert seen["control"][person]["exit"] == 0, seen["control"][person]["said"]


def test_a_stranger_may_not_command(seen: Seen) -> None:
    assert seen["control"]["nobody"]["exit"] == 77, seen["control"]["nobody"]["said"]


def test_a_credential_of_the_folder_opens_the_receiver(seen: Seen) -> None:
    assert seen["deliver"]["applied"] == 20, seen["journal"]


def test_decoders_work_in_their_processes_and_within_their_memory(seen: Seen) -> None:
    assert seen["decoders"] == [{"a": "1"}, "decoding it takes more memory than is allowed"]


def test_a_reload_keeps_the_process(seen: Seen) -> None:
    assert seen["reload"]["exit"] == 0, seen["reload"]["said"] + seen["journal"]
    assert seen["reload"]["same_process"]
    assert seen["reload"]["state"] == "active"


def test_a_refused_reload_fails_and_the_service_goes_on(seen: Seen) -> None:
    assert seen["refused_reload"]["exit"] != 0
    assert seen["refused_reload"]["same_process"]
    assert seen["refused_reload"]["state"] == "active"


def test_the_journal_says_what_was_refused(seen: Seen) -> None:
    assert "/etc/cgsync/config.yaml:9:5: sources.orders.evry" in seen["journal"]


def test_after_kill_9_everything_arrives_and_nothing_twice(seen: Seen) -> None:
    assert 20 < seen["kill"]["at_kill"] < 2020, "the kill missed the work"
    assert seen["kill"]["applied"] == 2020
    assert (seen["kill"]["restarts"], seen["kill"]["state"]) == ("1", "active")


def test_the_watchdog_restarts_what_hangs_and_leaves_alone_what_works(seen: Seen) -> None:
    assert seen["hang"] == {"restarts_while_fed": "0", "restarts": "1", "state": "active"}


def test_a_stop_is_clean_and_quick(seen: Seen) -> None:
    assert (seen["stop"]["result"], seen["stop"]["exit"]) == ("success", "0")
    assert seen["stop"]["seconds"] < 10
    assert seen["stop"]["left"] == []


def test_a_refused_configuration_fails_at_once_with_78(seen: Seen) -> None:
    assert seen["refused_start"]["start"] != 0
    assert (seen["refused_start"]["state"], seen["refused_start"]["exit"]) == ("failed", "78")
    assert seen["refused_start"]["restarts"] == "0"
