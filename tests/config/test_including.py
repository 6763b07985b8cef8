"""A configuration may be several files; what is given twice names both."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cgsync.config import ConfigInvalid, load

from .conftest import TOP, Folder

SOURCE = """
sources:
  {name}:
    box: {{ host: {host} }}
    activity: {{ account: a, type: t, source: s, happened_at: "{{{{ record.at }}}}" }}
"""


def test_included_files_add_sources_and_lookups_in_the_order_of_their_names(folder: Folder) -> None:
    folder.write("conf.d/b.yaml", SOURCE.format(name="beta", host="b"))
    folder.write("conf.d/a.yaml", SOURCE.format(name="alpha", host="a"))
    folder.write("conf.d/.hidden.yaml", "nonsense: [")
    config = folder.config(TOP + "include: conf.d/*.yaml\n" + SOURCE.format(name="main", host="m"))
    assert list(config.sources) == ["main", "alpha", "beta"]
    assert [file.name for file in config.files] == ["cgsync.yaml", "a.yaml", "b.yaml"]


def test_a_source_given_twice_names_both_files(folder: Folder) -> None:
    first = folder.write("conf.d/a.yaml", SOURCE.format(name="same", host="a"))
    second = folder.write("conf.d/b.yaml", SOURCE.format(name="same", host="b"))
    found = folder.finding(TOP + "include: [conf.d/*.yaml]\n")
    assert (found.file, found.line, found.path) == (second, 3, "sources.same")
    assert f"{first}:3" in found.help


def test_mistakes_of_all_files_are_reported_at_once(folder: Folder) -> None:
    folder.write("conf.d/a.yaml", SOURCE.format(name="one", host="[x]"))
    folder.write("conf.d/b.yaml", "sources: [")
    folder.write("conf.d/c.yaml", "log: { level: debug }\nsources: 5\n")
    folder.write("conf.d/d.yaml", "- a\n")
    found = folder.findings(TOP + "include: [conf.d/*.yaml, gone.yaml]\nstate_dri: x\n")
    places = [f"{each.file.name}:{each.line}" for each in found]
    assert places == ["cgsync.yaml:7", "cgsync.yaml:8", "a.yaml:4", "b.yaml:1", "c.yaml:1", "c.yaml:2", "d.yaml:1"]


def test_a_pattern_may_match_nothing_and_may_match_the_file_itself(folder: Folder) -> None:
    assert folder.config(TOP + "include: ['conf.d/*.yaml', '*.yaml']\n").files == (folder.file,)


def test_a_file_is_included_once(folder: Folder) -> None:
    folder.write("more.yaml", SOURCE.format(name="one", host="x"))
    assert len(folder.config(TOP + "include: [more.yaml, m*.yaml]\n").files) == 2


def test_what_an_included_file_refers_to_is_relative_to_it(folder: Folder) -> None:
    folder.write("conf.d/host", "example.com")
    folder.write("conf.d/a.yaml", SOURCE.format(name="one", host='"${file:host}"'))
    assert folder.config(TOP + "include: conf.d/*.yaml\n").sources["one"].options["host"] == "example.com"


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"#" * (1024 * 1024 + 1), "larger than 1024 KiB"), (b"a: 1\nb: \xff\n", "not UTF-8")],
)
def test_what_cannot_be_a_configuration_is_refused(folder: Folder, content: bytes, words: str) -> None:
    assert words in folder.finding(content).message


def test_the_place_of_a_byte_that_is_not_utf8_is_named(folder: Folder) -> None:
    found = folder.finding("ä: 1\nb: ".encode() + b"\xff")
    assert (found.line, found.column) == (2, 4)


def test_a_missing_file_a_folder_and_a_fifo_are_refused_in_words(folder: Folder) -> None:
    os.mkfifo(folder.path / "pipe")
    for name, words in (("gone.yaml", "No such file"), (".", "regular"), ("pipe", "regular")):
        with pytest.raises(ConfigInvalid, match=words):
            load(folder.path / name, environ={})


def test_a_configuration_that_is_no_mapping_is_refused(folder: Folder) -> None:
    assert folder.finding("- a\n- b\n").message == "a configuration is a mapping"
    assert folder.finding("").message == '"customergauge" is missing'


def test_a_folder_with_the_characters_of_a_pattern_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a[b]").mkdir()
    (tmp_path / "a[b]" / "plugins").mkdir(mode=0o700)
    folder = Folder(tmp_path / "a[b]")
    folder.write("more.yaml", SOURCE.format(name="one", host="x"))
    assert list(folder.config(TOP + "include: m*.yaml\n").sources) == ["one"]
