"""The command line itself: help, mistyped verbs, where the configuration is looked for."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cgsync.cli import VERBS
from cgsync.cli.options import find
from cgsync.errors import ConfigError
from tests.cli.conftest import Office, Said

Typed = Callable[..., Said]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_that_needs_no_configuration(
    type_it: Typed, verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = type_it(verb, "--help")
    assert (said.status, said.err) == (0, "")
    assert said.out.startswith(f"Usage: cgsync {verb}")


def test_help_names_every_verb_and_every_exit_status(type_it: Typed) -> None:
    said = type_it("--help")
    assert all(f"  {verb} " in said.out for verb in VERBS)
    assert "78 the configuration" in said.out.replace("\n  ", " ")


@pytest.mark.parametrize(("typed", "meant"), [("statsu", "status"), ("reject", "rejects"), ("chekc", "check")])
def test_a_mistyped_verb_is_answered_with_the_nearest(type_it: Typed, typed: str, meant: str) -> None:
    said = type_it(typed)
    assert said.status == 2
    assert f"no such command: {typed}, did you mean {meant}?" in said.err


def test_what_is_nothing_like_a_verb_gets_no_guess(type_it: Typed) -> None:
    said = type_it("zzz")
    assert (said.status, "did you mean" in said.err) == (2, False)


def test_the_configuration_is_named_before_or_after_the_verb(office: Office) -> None:
    file = str(office.file)
    for option in ("-c", "--config"):
        assert office.type(option, file, "check").status == 0
        assert office.type("check", option, file).status == 0
    assert office.type("-c", "elsewhere.yaml", "check", "-c", file).status == 0, "the nearer one counts"
    nested = office.type("-c", file, "config", "show", "--json")
    assert nested.json == office.type("config", "show", "--json", "-c", file).json


def test_a_file_that_is_not_there_is_78(office: Office) -> None:
    said = office.type("check", "-c", str(office.folder / "nowhere.yaml"))
    assert said.status == 78
    assert "nowhere.yaml" in said.out + said.err


def test_the_environment_names_the_configuration(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CGSYNC_CONFIG", str(office.file))
    assert office.type("check").status == 0


def command(*words: str, folder: Path, user: int | None = None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CGSYNC")}
    return subprocess.run(
        [sys.executable, "-m", "cgsync", *words],
        cwd=folder, env=environment, user=user, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


class As:
    """What :func:`find` does for somebody who is not root."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        monkeypatch.chdir(folder)
        monkeypatch.setattr(os, "geteuid", lambda: self.uid)
        monkeypatch.setattr("cgsync.cli.options.SYSTEM", folder / "etc.yaml")
        self.uid = folder.stat().st_uid or 1000


def test_a_file_in_the_folder_is_taken_by_its_owner(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    who = As(monkeypatch, office.folder)
    os.chown(office.file, who.uid, -1)
    assert find(None) == Path("cgsync.yaml")


def test_a_file_in_the_folder_that_others_may_write_is_not_read(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = As(monkeypatch, office.folder)
    os.chown(office.file, who.uid, -1)
    for mode in (0o620, 0o602):
        office.file.chmod(mode)
        with pytest.raises(ConfigError, match="others may write it"):
            find(None)


def test_a_file_in_the_folder_is_not_read_for_root_who_gets_the_systems(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = As(monkeypatch, office.folder)
    who.uid = 0
    with pytest.raises(ConfigError, match="not read for root"):
        find(None)
    (office.folder / "etc.yaml").touch()
    assert find(None) == office.folder / "etc.yaml"


def test_without_any_file_it_says_where_it_looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    As(monkeypatch, tmp_path)
    with pytest.raises(ConfigError, match=r"neither \./cgsync.yaml nor") as caught:
        find(None)
    assert caught.value.hint == "name one with `-c FILE`, or write one with `cgsync init`"


def test_a_pipe_that_closes_early_is_no_error_in_words(worked: Office) -> None:
    shell = f"{sys.executable} -m cgsync -c {worked.file} config show --json | head -c 1"
    ended = subprocess.run(["bash", "-c", f"set -o pipefail; {shell}"], capture_output=True, text=True, timeout=60)
    assert ended.stderr == ""


def test_the_version_is_told(type_it: Typed) -> None:
    said = type_it("--version")
    assert (said.status, said.out.startswith("cgsync ")) == (0, True)


def test_the_console_script_ends_with_the_status(worked: Office) -> None:
    assert command("-c", str(worked.file), "explain", "nothing", folder=worked.folder).returncode == 1
    assert command("-c", str(worked.file), "reload", folder=worked.folder).returncode == 69
    worked.file.write_text("x: [")
    assert command("-c", str(worked.file), "status", folder=worked.folder).returncode == 78
