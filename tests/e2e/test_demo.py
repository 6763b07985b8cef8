"""The demo as somebody sees it who types `cgsync demo`: all arrives, what is edited follows, Ctrl-C ends it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cgsync.sandbox.demo import ACTIVITIES, KEY
from tests.e2e.installation import PATIENCE, environment, eventually


@contextmanager
def demo(folder: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """The running demo, and the addresses that it shows."""
    command = [sys.executable, "-m", "cgsync", "demo", "--port", "0", "--folder", str(folder)]
    with (folder / "said").open("w") as said:
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, text=True, env=environment())
    try:
        yield process, eventually(lambda: addresses((folder / "said").read_text()))
    finally:
        process.terminate()  # it takes its daemon along
        process.wait(PATIENCE)


def addresses(said: str) -> dict[str, str]:
    wanted = {"page": r"CustomerGauge would show +(http\S+)", "desk": r"help desk's API +(http\S+)"}
    found = {name: re.search(pattern, said) for name, pattern in wanted.items()}
    return {name: match[1] for name, match in found.items() if match} if all(found.values()) else {}


def ask(url: str, **options: Any) -> Any:
    with urllib.request.urlopen(urllib.request.Request(url, **options), timeout=60) as answer:
        return json.loads(answer.read())


def test_all_arrives_an_edit_follows_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    with demo(tmp_path) as (process, at):

        def status(reference: str) -> Any:
            shown = {each["reference"]: each for each in ask(f"{at['page']}api/activities")}
            return dict(shown[reference]["information"])["status"]

        eventually(lambda: ask(f"{at['page']}api/stats")["applied"] == ACTIVITIES)
        assert status("helpdesk-4630") == "Closed"
        bearer = {"Authorization": f"Bearer {KEY}"}
        ask(f"{at['desk']}/4630", data=b'{"status": 3}', headers=bearer, method="PATCH")
        eventually(lambda: status("helpdesk-4630") == "Pending")
        assert ask(f"{at['page']}api/stats")["applied"] == ACTIVITIES + 1
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0, (tmp_path / "said").read_text()
