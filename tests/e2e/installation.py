"""A site as an operator has it: a folder, a configuration, the sandbox and the real daemon, each its own process."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cgsync import control
from tests.e2e.launching import Launch, Process, interpreted

PATIENCE = 60.0
"""Seconds until a condition that should come true is given up."""

MAPPING = """
    as: order
    activity:
      reference: "order-{{ order.order_no }}"
      account: "{{ order.company }}"
      contact: "{{ order.email }}"
      type: "{{ order.type }}"
      source: Shop export
      happened_at: "{{ order.ordered_at }}"
      additional_information_object:
        note: "{{ order.note }}"
        total: "{{ order.total }}"
        status: "{{ order.status }}"
"""


def eventually(condition: Callable[[], Any], *, within: float = PATIENCE) -> Any:
    """The first true value of the condition."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.02)
    raise AssertionError(f"not within {within:.0f} s: {condition}")


def environment() -> dict[str, str]:
    """Nothing of ours that a daemon might take for its own."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("CGSYNC", "CREDENTIALS", "NO_COLOR"))
    }
    return {**kept, "PYTHONWARNINGS": "error", "PYTHONUNBUFFERED": "1"}


class Sandbox:
    """The stand-in for CustomerGauge as a process of its own; it judges what arrived."""

    def __init__(self, *arguments: str, port: int = 0, secret: str = "", launch: Launch = interpreted) -> None:
        """With a ``secret`` it knows a client of its own, which no option of the command makes."""
        ours, theirs = os.pipe()
        self._said = os.fdopen(ours)
        if secret:
            known = f"import asyncio, cgsync.sandbox as s; asyncio.run(s.serve(port={port}, client_secret={secret!r}))"
            self._process: Process = subprocess.Popen([sys.executable, "-c", known], stdout=theirs, env=environment())
        else:
            usual = ["sandbox", "--port", str(port), *arguments]
            self._process = launch(usual, stdout=theirs, stderr=2, env=environment())
        os.close(theirs)
        self.page = ""
        for line in self._said:
            if found := re.search(r"page +(http://\S+)", line):
                self.page = found[1]
            if "client_id" in line:
                return

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)
        self._said.close()

    @property
    def stats(self) -> dict[str, Any]:
        return self._ask("GET", "api/stats")

    @property
    def activities(self) -> dict[str, dict[str, Any]]:
        return {each["reference"]: each for each in self._ask("GET", "api/activities")}

    def log(self, after: int = 0) -> list[dict[str, Any]]:
        """Every PUT that arrived, numbered."""
        return self._ask("GET", f"api/log?after={after}")

    def fault(self, *faults: Mapping[str, Any]) -> None:
        self._ask("POST", "api/faults", list(faults))

    def clear_faults(self) -> None:
        self._ask("DELETE", "api/faults")

    def revoke_tokens(self) -> None:
        self._ask("DELETE", "api/tokens")

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.page + path, data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            content = answer.read()
        return json.loads(content) if content else None


@dataclass
class Site:
    """One installation: ``folder`` holds configuration, drop folder and state."""

    folder: Path
    sandbox: Sandbox
    options: str = "rate_limit: 100000/s\n  concurrency: 32"
    sources: str = ""
    top: str = ""
    client_id: str = "sandbox"
    launch: Launch = interpreted
    processes: list[Process] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.drop.mkdir(exist_ok=True)
        self.write()

    @property
    def drop(self) -> Path:
        return self.folder / "drop"

    @property
    def config(self) -> Path:
        return self.folder / "cgsync.yaml"

    def write(self, **changes: Any) -> None:
        """Write the configuration anew, with these fields of the site changed."""
        for name, value in changes.items():
            setattr(self, name, value)
        sources = self.sources or self.source("orders", self.drop)
        self.config.write_text(
            f"customergauge:\n  url: {self.sandbox.page}activities\n  token_url: {self.sandbox.page}oauth2/token\n"
            f"  client_id: {self.client_id}\n  client_secret: sandbox\n  {self.options}\n"
            f"state_dir: {self.folder / 'state'}\n{self.top}sources:\n{sources}",
        )
        self.config.chmod(0o600)

    @staticmethod
    def source(name: str, folder: Path, *, every: str = "1s", files: str = "", mapping: str = MAPPING) -> str:
        """The YAML of one source that reads CSV files as they are renamed in."""
        options = f"path: {folder}, include: '*.csv', key: order_no, readiness: {{ rename: true }}{files}"
        return f"  {name}:\n    every: {every}\n    files: {{ {options} }}{mapping}"

    def run(self, *arguments: str, check: int | None = 0) -> subprocess.CompletedProcess[str]:
        """Type a command; ``check`` is the exit status that is expected, ``None`` any."""
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            typed = ["-c", str(self.config), *arguments]
            status = self.launch(typed, stdout=out, stderr=err, env=environment()).wait(600)
            said = [output.read() for output in (out, err) if output.seek(0) == 0]
        assert check is None or status == check, f"{arguments}: {status}\n{''.join(said)}"
        return subprocess.CompletedProcess(typed, status, *said)

    def json(self, *arguments: str, check: int | None = 0) -> Any:
        return json.loads(self.run(*arguments, "--json", check=check).stdout)

    def ask(self, verb: str, **args: Any) -> Any:
        """What the daemon answers a command: at once, where starting one for each look would miss the right moment."""
        return control.ask(self.folder / "state" / "control.sock", verb, args)

    def start(self, *arguments: str) -> Process:
        """Start the daemon; its log goes to a file, which :meth:`said` reads."""
        with self.log.open("a") as log:
            command = ["-c", str(self.config), "run", *arguments]
            process = self.launch(command, stdout=log, stderr=log, env=environment())
        self.processes.append(process)
        return process

    def running(self, *arguments: str) -> Process:
        """Start the daemon and wait until it says that it runs."""
        before = self.said().count("running")
        process = self.start(*arguments)
        eventually(lambda: self.said().count("running") > before or process.poll() is not None)
        assert process.poll() is None, self.said()
        return process

    @property
    def log(self) -> Path:
        return self.folder / "daemon.log"

    def said(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def put(self, name: str, text: str) -> Path:
        """Drop a file as a careful sender does: written aside, then renamed in."""
        aside = self.folder / f".{name}.part"
        aside.write_text(text)
        return aside.rename(self.drop / name)

    def balances(self) -> None:
        assert self.json("audit")["ok"]

    def close(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait(10)


def orders(count: int, *, start: int = 0, note: str = "fine") -> str:
    """A small well-formed export."""
    lines = ["order_no,company,email,type,ordered_at,note,total,status"]
    lines += [
        f"{n},Company {n % 7},c{n % 50}@example.com,Order,2026-03-04 10:{n % 60:02d}:00,{note},9.90,open"
        for n in range(start, start + count)
    ]
    return "\n".join(lines) + "\n"


@contextmanager
def sandbox(*arguments: str, launch: Launch = interpreted) -> Iterator[Sandbox]:
    made = Sandbox(*arguments, launch=launch)
    try:
        yield made
    finally:
        made.close()


@contextmanager
def site(folder: Path, *, launch: Launch = interpreted, **options: Any) -> Iterator[Site]:
    with sandbox(launch=launch) as receiver:
        made = Site(folder, receiver, launch=launch, **options)
        try:
            yield made
        finally:
            made.close()
