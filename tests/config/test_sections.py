"""Lookups, the contract of one's own, log and folders; and secrets that everybody could read."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from cgsync.config import ConfigInvalid, load, locate, render, show
from cgsync.config.places import default_runtime, default_state
from cgsync.secrets import MASK

from .conftest import ACTIVITY, TOP, Folder


def test_the_small_sections_have_their_defaults(folder: Folder) -> None:
    config = folder.config(TOP)
    assert (config.log.level, config.log.format, config.retry_refused) == ("info", "auto", timedelta(days=7))
    assert (config.lookups, config.sources, config.overlay, config.warnings) == ({}, {}, None, ())


def test_a_lookup_is_relative_to_the_configuration(folder: Folder) -> None:
    folder.write("accounts.csv", "domain,account\nacme.com,Acme\n")
    lookups = "lookups:\n  accounts: { file: accounts.csv, key: domain, value: account }\n"
    config = folder.config(TOP + lookups)
    assert config.lookups["accounts"].file == folder.path / "accounts.csv"


def test_a_lookup_whose_file_is_missing_and_one_that_is_not_there_are_found(folder: Folder) -> None:
    activity = ACTIVITY.replace("record.company", "record.d | lookup('acounts')")
    text = (
        folder.source("host: x", activity=activity) + "\nlookups:\n  accounts: { file: gone.csv, key: a, value: b }\n"
    )
    paths = [each.path for each in folder.findings(text)]
    assert paths == ["sources.support.activity.account", "lookups.accounts.file"]


def test_a_lookup_without_its_column_is_found(folder: Folder) -> None:
    folder.write("accounts.csv", "domain,account\nacme.com,Acme\n")
    found = folder.finding(TOP + "lookups:\n  accounts: { file: accounts.csv, key: domian, value: account }\n")
    assert found.path == "lookups.accounts.file"
    assert "domian" in found.message


def test_an_overlay_that_does_not_compile_is_found(folder: Folder) -> None:
    folder.write("contract.json", '{"properties": {"type": {"pattern": "("}}}')
    assert folder.finding(TOP + "contract: { schema: contract.json }\n").path == "contract.schema"


def test_lists_of_types_and_accounts_become_an_overlay(folder: Folder) -> None:
    config = folder.config(TOP + "contract: { types: [Order], accounts: [Acme, 'Globex'] }\n")
    assert config.overlay is not None


def test_an_overlay_may_be_a_file(folder: Folder) -> None:
    folder.write("contract.json", '{"properties": {"type": {"enum": ["Order"]}}}')
    config = folder.config(TOP + "contract: { schema: contract.json }\n")
    assert config.overlay == {"properties": {"type": {"enum": ["Order"]}}}


@pytest.mark.parametrize(
    ("content", "words"), [("{", "is not JSON"), ("[]", "not a JSON Schema"), (None, "cannot be read")]
)
def test_an_overlay_that_cannot_be_used_is_found(folder: Folder, content: str | None, words: str) -> None:
    if content is not None:
        folder.write("contract.json", content)
    found = folder.finding(TOP + "contract: { schema: contract.json }\n")
    assert (found.path, words in found.message) == ("contract.schema", True)


def test_an_overlay_is_either_a_file_or_lists(folder: Folder) -> None:
    assert folder.finding(TOP + "contract: { schema: c.json, types: [a] }\n").path == "contract.schema"
    assert folder.finding(TOP + "contract: {}\n").message == "must have at least 1 option"


@pytest.mark.parametrize("written", ["hunter2hunter2", "${NONE:-hunter2hunter2}", "hunter2${SECRET}"])
def test_a_secret_written_out_wants_a_file_that_not_everybody_may_read(folder: Folder, written: str) -> None:
    folder.write(folder.file.name, TOP.replace("${SECRET}", written), mode=0o644)
    with pytest.raises(ConfigInvalid) as caught:
        load(folder.file, environ=folder.environ)
    (found,) = caught.value.diagnostics
    assert found.path == "customergauge.client_secret"
    assert "chmod o-r" in found.help
    assert "hunter2" not in render([found])


def test_a_secret_from_elsewhere_may_stand_in_a_public_file(folder: Folder) -> None:
    folder.write(folder.file.name, TOP, mode=0o644)
    load(folder.file, environ=folder.environ)


@pytest.mark.parametrize(
    ("config", "environ", "state", "runtime"),
    [
        ("/etc/cgsync/config.yaml", {}, "/var/lib/cgsync", "/run/cgsync"),
        ("/etc/cgsync/acme/config.yaml", {}, "/var/lib/cgsync-acme", "/run/cgsync-acme"),
        ("/srv/c.yaml", {"HOME": "/home/me"}, "/home/me/.local/state/cgsync", None),
        ("/srv/c.yaml", {"HOME": "/home/me", "XDG_STATE_HOME": "/x"}, "/x/cgsync", None),
        ("/srv/c.yaml", {"STATE_DIRECTORY": "/s:/t", "RUNTIME_DIRECTORY": "/r"}, "/s", "/r"),
        ("/etc/cgsync/config.yaml", {"STATE_DIRECTORY": "/s", "RUNTIME_DIRECTORY": "/r"}, "/s", "/r"),
    ],
)
def test_the_folders_are_those_of_the_unit(
    config: str, environ: dict[str, str], state: str, runtime: str | None
) -> None:
    assert default_state(Path(config), environ) == Path(state)
    assert default_runtime(Path(config), environ) == (Path(runtime) if runtime else None)


def test_folders_are_relative_to_the_configuration(folder: Folder) -> None:
    config = folder.config(TOP + "state_dir: state\n")
    assert (config.state_dir, config.runtime_dir) == (folder.path / "state", folder.path / "state")
    config = folder.config(TOP + "state_dir: ~/s\nruntime_dir: /run/x\n")
    assert (config.state_dir, config.runtime_dir) == (folder.path / "home" / "s", Path("/run/x"))


def test_the_daemon_is_found_without_secrets_and_through_mistakes(folder: Folder) -> None:
    folder.write(
        "cgsync.yaml", "customergauge: { client_secret: '${credential:gone}' }\nstate_dir: ${WHERE}\nevry: 1\n"
    )
    assert locate(folder.file, environ={"WHERE": "/s"}).state_dir == Path("/s")


def test_the_daemon_is_found_even_when_the_file_does_not_parse(folder: Folder) -> None:
    folder.write("cgsync.yaml", "state_dir: '/s'   # here\nsources: [\n")
    assert locate(folder.file, environ={}).state_dir == Path("/s")
    assert locate(folder.path / "gone.yaml", environ={"HOME": "/h"}).state_dir == Path("/h/.local/state/cgsync")


def test_every_value_is_shown_with_its_origin(folder: Folder) -> None:
    folder.config(folder.source("password: hunter2hunter2\nport: 143", core="every: 1m\n"))
    shown = {each.path: (each.value, each.origin) for each in show(folder.file, environ=folder.environ)}
    assert shown["sources.support.every"] == ("1m", f"{folder.file}:9")
    assert shown["sources.support.box.port"] == (143, f"{folder.file}:12")
    assert shown["sources.support.box.password"][0] == MASK
    assert shown["customergauge.client_secret"][0] == MASK
    assert shown["sources.support.box.wait"] == ("90s", "default")
    assert shown["customergauge.url"] == ("https://imports.api.eu.customergauge.com/activities", "default")
    assert shown["sources.support.activity.type"][0] == "Order"
    assert "hunter2" not in str(shown)
