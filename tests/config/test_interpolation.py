"""``${…}`` is put into parsed values: it can neither add a key nor show a secret."""

from __future__ import annotations

import os

import pytest

from cgsync.config import render, show
from cgsync.secrets import MASK

from .conftest import Folder


def option(folder: Folder, text: str, name: str = "host") -> object:
    return folder.config(folder.source(f"{name}: {text}")).sources["support"].options[name]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("${A}", "alpha"), ('"${A}-${B}"', "alpha-beta"), ("x${A}y", "xalphay"), ("${NONE:-other}", "other"),
     ("${EMPTY:-other}", "other"), ("${EMPTY}", ""), ("$${A}", "${A}"), ('"$$${A}"', "$${A}"), ("${NONE:-}", ""),
     ("$A", "$A"), ("${NONE:-a:b}", "a:b")],
)  # fmt: skip
def test_references_are_replaced(folder: Folder, text: str, expected: str) -> None:
    folder.environ |= {"A": "alpha", "B": "beta", "EMPTY": ""}
    assert option(folder, text) == expected


def test_a_value_cannot_add_structure(folder: Folder) -> None:
    folder.environ["A"] = "x\n    port: 1\n# {a: b}"
    assert option(folder, "${A}") == folder.environ["A"]


def test_a_lone_reference_is_typed_and_a_part_of_a_text_is_not(folder: Folder) -> None:
    folder.environ |= {"PORT": "143", "TRUE": "true"}
    assert option(folder, "${PORT}", "port") == 143
    assert option(folder, "${TRUE}", "idle") is True
    assert folder.finding(folder.source("port: 1${PORT}")).path == "sources.support.box.port"


@pytest.mark.parametrize("text", ["143", "true", "null", "1.10", "010"])
def test_what_comes_from_outside_into_a_text_field_is_text(folder: Folder, text: str) -> None:
    folder.environ["A"] = text
    assert option(folder, "${A}") == text


@pytest.mark.parametrize(
    ("text", "words"),
    [("${NONE}", "the environment has no NONE"), ("${A", "without its `}`"), ("${a b}", "not understood"),
     ("${NONE:-${A}}", "cannot be nested"), ("${file:missing.txt}", "cannot be read"),
     ("${file:.}", "not a regular file"),
     ("${credential:nope}", "no credential nope"), ("${credential:../x}", "a credential's name"),
     ("${BYTES}", "is not UTF-8"), ("${}", "not understood")],
)  # fmt: skip
def test_what_cannot_be_replaced_is_the_only_finding_there(folder: Folder, text: str, words: str) -> None:
    folder.environ |= {"A": "a", "BYTES": os.fsdecode(b"\xff")}
    found = folder.finding(folder.source(f"port: '{text}'"))
    assert words in found.message
    assert found.path == "sources.support.box.port"


def test_a_fifo_does_not_hang_it(folder: Folder) -> None:
    os.mkfifo(folder.path / "pipe")
    assert "not a regular file" in folder.finding(folder.source("host: ${file:pipe}")).message


def test_a_file_is_relative_to_the_configuration_and_loses_one_line_end(folder: Folder) -> None:
    folder.write("secrets/pw", b"  hunter2\n\n")
    assert option(folder, "${file:secrets/pw}") == "  hunter2\n"


def test_a_credential_is_looked_for_under_both_names_of_the_unit(folder: Folder) -> None:
    folder.environ["CREDENTIALS_DIRECTORY"] = str(folder.path / "creds")
    folder.write("creds/cgsync_imap", "of-the-folder\n")
    assert option(folder, "${credential:imap}") == "of-the-folder"
    folder.write("creds/imap", "of-its-own\n")
    assert option(folder, "${credential:imap}") == "of-its-own"


def test_what_a_file_or_credential_holds_is_hidden_from_six_characters_on(folder: Folder) -> None:
    folder.write("long", "abcdef")
    folder.write("short", "abcde")
    folder.config(folder.source("host: ${file:long}\nfolders: ['${file:short}']"))
    assert folder.redactor("abcdef abcde") == f"{MASK} abcde"
    shown = {each.path: each.value for each in show(folder.file, environ=folder.environ)}
    assert shown["sources.support.box.host"] == MASK
    assert shown["sources.support.box.folders[0]"] == "abcde"


def test_a_message_does_not_repeat_what_came_from_outside(folder: Folder) -> None:
    folder.environ["PORT"] = "a-private-thing"
    found = folder.finding(folder.source("port: ${PORT}"))
    assert "private" not in render([found])
    assert "${PORT}" in found.message


def test_templates_and_names_are_left_alone_and_a_mistaken_one_is_warned_of(folder: Folder) -> None:
    activity = """
    when: "{{ record.a != '${A}' }}"
    activity: { account: "${HOME}", type: "$${X}", source: Shop, happened_at: "{{ record.at }}" }
    """
    config = folder.config(folder.source("host: x", activity=activity))
    mapping = config.sources["support"].mapping
    assert mapping.activities[0]["account"] == "${HOME}"
    assert mapping.activities[0]["type"] == "$${X}"
    assert [each.path for each in config.warnings] == [
        "sources.support.when",
        "sources.support.activity.account",
        "sources.support.activity.type",
    ]
