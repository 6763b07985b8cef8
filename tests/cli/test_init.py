"""A first configuration: it passes the check, is for its owner alone, and holds no secret that was typed in."""

from __future__ import annotations

import os
import pty
import select
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from cgsync.cli.draft import quoted
from cgsync.config import load, show
from cgsync.config.findings import Findings
from cgsync.config.nodes import plain
from cgsync.config.yaml import parse
from cgsync.plugins.vocabulary import typed
from tests.cli.conftest import Said
from tests.tickets import PLUGIN

Typed = Callable[..., Said]
ENVIRON = {"CG_CLIENT_ID": "me", "CREDENTIALS_DIRECTORY": ""}
FILES = ("--plugin", "files", "--with", "path=/srv/drop", "--with", "key=order_no", "--region", "eu")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    plugins = tmp_path / "plugins"
    plugins.mkdir(mode=0o700)
    (plugins / "desk.py").write_text(PLUGIN)
    return tmp_path


def desk(*words: str) -> list[str]:
    return ["init", "--plugin-dir", "plugins", "--preset", "desk-tickets", "--region", "eu", *words]


def test_it_is_written_checked_and_for_oneself_alone(type_it: Typed, here: Path) -> None:
    said = type_it("init", *FILES, "--yes", "--client-secret", "the-client-secret")
    assert (said.status, said.err) == (0, "")
    file = here / "cgsync.yaml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    loaded = load(file, environ=ENVIRON)
    assert loaded.sources["my-files"].options["key"] == "order_no"
    assert not loaded.warnings
    assert "preview my-files" in said.out


def test_a_typed_secret_goes_to_a_file_of_its_own(type_it: Typed, here: Path) -> None:
    given = [
        "--with",
        "url=https://desk.example",
        "--with",
        "key=the-typed-key",
        "--client-secret",
        "the-client-secret",
    ]
    assert type_it(*desk(*given, "--yes")).status == 0
    text = (here / "cgsync.yaml").read_text()
    assert "the-typed-key" not in text
    assert "the-client-secret" not in text
    kept = here / "credentials" / "desk-tickets-key"
    assert kept.read_text() == "the-typed-key\n"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    source = load(here / "cgsync.yaml", environ=ENVIRON).sources["desk-tickets"]
    assert source.options["key"].reveal() == "the-typed-key"
    values = {each.path: each.value for each in show(here / "cgsync.yaml", environ=ENVIRON)}
    assert values["sources.desk-tickets.with.key"] == "********"


def test_a_reference_is_written_as_it_is_and_what_is_missing_is_told(type_it: Typed, here: Path) -> None:
    said = type_it(*desk("--with", "url=https://desk.example", "--with", "key=${credential:desk}", "--yes"))
    assert said.status == 0
    assert "key: ${credential:desk}  # your API key\n" in (here / "cgsync.yaml").read_text()
    assert "First: set CG_CLIENT_ID in the environment of the service\n" in said.out
    assert "put the credential in place: install -m 400 /dev/stdin /etc/cgsync/credentials/desk\n" in said.out
    assert not (here / "credentials").exists()


def test_nothing_is_written_over(type_it: Typed, here: Path) -> None:
    assert type_it("init", *FILES, "--yes").status == 0
    before = (here / "cgsync.yaml").read_text()
    said = type_it("init", *FILES, "--yes", "--name", "other")
    assert (said.status, (here / "cgsync.yaml").read_text()) == (1, before)
    assert "cgsync.yaml is there already" in said.err
    assert type_it("init", *FILES, "--yes", "--name", "other", "--force").status == 0
    assert "  other:" in (here / "cgsync.yaml").read_text()


def test_what_does_not_pass_the_check_is_not_left_behind(type_it: Typed, here: Path) -> None:
    words = ["--with", "url=https://desk.example", "--with", "key=the-typed-key", "--with", "temas=x"]
    said = type_it(*desk(*words, "--yes", "--output", "new/own.yaml"))
    assert said.status == 78
    assert 'own.yaml:16:7: sources.desk-tickets.with.temas: unknown option, did you mean "team"?' in said.err
    assert list((here / "new").iterdir()) == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--yes"], "say --preset or --plugin"),
        (["--preset", "a", "--plugin", "b", "--yes"], "not both"),
        (["--plugin", "files", "--yes"], "say --with path=…"),
        ([*FILES, "--with", "oops", "--yes"], "say KEY=VALUE"),
        ([*FILES, "--name", "a/b", "--yes"], "is no name"),
        (["--plugin", "files", "--name", "x", "--region", "eu", "--yes"], "say --with path=…  (path: The folder.)"),
    ],
)
def test_what_is_missing_is_said_where_nothing_may_be_asked(
    type_it: Typed, here: Path, words: list[str], says: str
) -> None:
    said = type_it("init", *words)
    assert said.status == 2
    assert says in said.err
    assert not (here / "cgsync.yaml").exists()


def test_a_preset_that_nobody_has_is_named(type_it: Typed, here: Path) -> None:
    said = type_it("init", "--plugin-dir", "plugins", "--preset", "desk-ticket", "--region", "eu", "--yes")
    assert (said.status, "did you mean desk-tickets?" in said.err) == (1, True)


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Z"]), max_size=20))
@example("null")
@example("")
@example("a: b")
@example("a #b")
@example("*a")
@example("5")
@example("@")
@example("-")
@example("---")
@example("${credential:x}")
def test_a_value_is_read_as_it_was_typed(typed_in: str) -> None:
    """A number stays one; what begins with a bracket is YAML already."""
    assume(not typed_in.startswith(("[", "{")))
    findings = Findings()
    root = parse(f"key: {quoted(typed_in)}\n", Path("c.yaml"), findings)
    assert findings.errors == 0
    assert root is not None
    meant = typed(typed_in)
    assert plain(root)["key"] == (typed_in if meant is None else meant)


def test_on_a_terminal_it_asks(here: Path) -> None:
    """What is a secret is not shown while it is typed."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "cgsync", "init", "--plugin-dir", "plugins"]
    process = subprocess.Popen(command, cwd=here, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    answers = {
        "Which preset or plugin": "desk-tickets",
        "Name of the source": "",
        "url: where it is": "https://desk.example",
        "key: your API key": "the-typed-key",
        "Region of CustomerGauge": "eu",
        "OAuth2 client id": "my-client",
        "OAuth2 client secret": "the-client-secret",
    }
    seen = ""
    for question, answer in answers.items():
        seen = _until(ours, seen, question)
        os.write(ours, answer.encode() + b"\n")
    seen = _until(ours, seen, "run --once --dry-run")
    assert process.wait(30) == 0
    os.close(ours)
    assert "the-typed-key" not in seen
    assert "the-client-secret" not in seen
    loaded = load(here / "cgsync.yaml", environ={})
    assert loaded.receiver.client_id == "my-client"
    assert loaded.receiver.client_secret.reveal() == "the-client-secret"


def _until(terminal: int, seen: str, words: str) -> str:
    end = time.monotonic() + 60
    while words not in seen:
        assert time.monotonic() < end, seen
        if select.select([terminal], [], [], 1)[0]:
            seen += os.read(terminal, 4096).decode()
    return seen
