"""Roundup, a ticket system that others wrote, as a process of its own: filled and edited by its own command."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

ENVIRONMENT = Path(__file__).parents[2] / ".venv-roundup" / "bin"
SERVE = """
import sys
from wsgiref.simple_server import make_server
from roundup.cgi.wsgi_handler import RequestDispatcher
from roundup.configuration import CoreConfig
home = sys.argv[1]
with make_server("127.0.0.1", 0, None) as server:
    address = f"http://127.0.0.1:{server.server_port}/"
    config = CoreConfig(home)
    config["TRACKER_WEB"] = address
    config.save()
    server.set_app(RequestDispatcher(home, feature_flags={"cache_tracker": ""}))
    print(address, flush=True)
    server.serve_forever()
"""
PLACE = {"#web = NO DEFAULT": "web = http://127.0.0.1/", "#domain = NO DEFAULT": "domain = acme.example"}
MAIL = {"#host = NO DEFAULT": "host = 127.0.0.1"}
NOBODY = ("nosyreaction", "messagesummary")
"""Parts that send mail."""
ADMIN = "admin:admin"
TICKET = {"id": 8, "title": 60, "status": 8, "creator": 8, "creation": 24, "activity": 24}
"""The fields of a ticket, and the width of each in a table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracker:
    """``url`` ends in a slash; what is asked of it stands in the file ``log``, a line each."""

    home: Path
    url: str
    log: Path

    def type(self, *lines: str, user: str = ADMIN) -> list[str]:
        """What roundup-admin says to these commands."""
        return administer(self.home, *lines, user=user)

    def tickets(self) -> dict[str, Mapping[str, str]]:
        """All of them as Roundup itself lists them, by id; status and creator as numbers."""
        wanted = ",".join(f"{name}:{width}" for name, width in TICKET.items())
        listed = _roundup("-i", str(self.home), "-u", ADMIN, "table", "issue", wanted)[1:]
        return {row["id"]: row for row in map(_row, listed)}

    @property
    def asked(self) -> int:
        """How often the first page of tickets was asked for."""
        lines = self.log.read_text().splitlines()
        return sum("GET /rest/data/issue?" in line and "page_index" not in line for line in lines)


def _row(line: str) -> Mapping[str, str]:
    ends = list(accumulate(width + 1 for width in TICKET.values()))
    cells = [line[start:end].strip() for start, end in zip([0, *ends], ends, strict=False)]
    return dict(zip(TICKET, cells, strict=True))


def administer(home: Path, *lines: str, user: str = ADMIN) -> list[str]:
    return _roundup("-i", str(home), "-u", user, said="\n".join([*lines, "commit", "quit", ""]))


@contextmanager
def tracker(home: Path) -> Iterator[Tracker]:
    """An empty tracker of the usual kind, served as long as the block runs."""
    _install(home)
    log = home / "requests.log"
    with log.open("w") as errors, _serving(home, errors.fileno()) as server:
        assert server.stdout is not None
        yield Tracker(home=home, url=server.stdout.readline().strip(), log=log)


def _install(home: Path) -> None:
    _roundup("-i", str(home), "install", "classic", "sqlite")
    config = home / "config.ini"
    text = config.read_text()
    for missing, found in {**PLACE, **MAIL}.items():
        text = text.replace(missing, found)
    config.write_text(text)
    for name in NOBODY:
        (home / "detectors" / f"{name}.py").unlink()
    _roundup("-i", str(home), "initialise", "admin")


@contextmanager
def _serving(home: Path, errors: int) -> Iterator[subprocess.Popen[str]]:
    command = [str(ENVIRONMENT / "python"), "-c", SERVE, str(home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=_variables()) as server:
        try:
            yield server
        finally:
            server.kill()


def _roundup(*arguments: str, said: str = "") -> Sequence[str]:
    command = [str(ENVIRONMENT / "roundup-admin"), *arguments]
    ended = subprocess.run(command, input=said, capture_output=True, text=True, check=True, env=_variables())
    assert "Error" not in ended.stdout + ended.stderr, ended.stdout + ended.stderr
    return ended.stdout.splitlines()


def _variables() -> dict[str, str]:
    """Its words in English, and nothing of ours."""
    return {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
