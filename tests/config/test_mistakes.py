"""All mistakes are reported at once, each at its place, with the line, a caret and what was probably meant."""

from __future__ import annotations

import pytest

from cgsync.config import ConfigInvalid, render

from .conftest import Folder

TEN = """
customergauge:
  regoin: eu
  client_id: id
  client_secret: ${SECRET}
  rate_limit: fast
  concurrency: 010
  allow_insecure: yes
plugin_dir: plugins
sources:
  support:
    evry: 5m
    timezone: Europe/Berln
    box:
      port: 70000
      wait: 12:30
      folders: { a: b }
      auth: { basic: { usrname: x } }
    activity:
      account: "{{ record.company | uper }}"
      type: Order
      source: Shop
      happened_at: "{{ ticket.at }}"
    activity:
      type: x
"""


def test_a_configuration_with_many_mistakes_shows_them_all(folder: Folder) -> None:
    found = folder.findings(TEN)
    assert [(each.line, each.column, each.path) for each in found] == [
        (3, 3, "customergauge.regoin"),
        (6, 15, "customergauge.rate_limit"),
        (7, 16, "customergauge.concurrency"),
        (8, 19, "customergauge.allow_insecure"),
        (12, 5, "sources.support.evry"),
        (13, 15, "sources.support.timezone"),
        (15, 13, "sources.support.box.port"),
        (16, 13, "sources.support.box.wait"),
        (17, 16, "sources.support.box.folders"),
        (18, 24, "sources.support.box.auth.basic.usrname"),
        (20, 16, "sources.support.activity.account"),
        (23, 20, "sources.support.activity.happened_at"),
        (24, 5, "sources.support.activity"),
    ]


GOOD = """
customergauge:
  url: https://receiver.example/activities
  token_url: https://receiver.example/token
  client_id: id
  client_secret: ${SECRET}
lookups: { accounts: { file: accounts.csv, key: domain, value: account } }
plugin_dir: plugins
sources:
  support:
    every: 5m
    box: { host: x, folders: [a] }
    activity:
      account: "{{ record.company }}"
      type: Order
      source: Shop
      happened_at: "{{ record.at }}"
"""


@pytest.mark.parametrize(
    ("name", "slip", "place"),
    [
        ("customergauge", "custmergauge", "custmergauge"),
        ("  url", "  ul", "customergauge.ul"),
        ("token_url", "toke_url", "customergauge.toke_url"),
        ("client_id", "clientid", "customergauge.clientid"),
        ("key", "kee", "lookups.accounts.kee"),
        ("activity", "actvity", "sources.support.actvity"),
        ('account: "', 'acount: "', "sources.support.activity.acount"),
        ("happened_at", "hapened_at", "sources.support.activity.hapened_at"),
    ],
)
def test_a_misspelt_key_is_not_reported_as_missing_too(folder: Folder, name: str, slip: str, place: str) -> None:
    (folder.file.parent / "accounts.csv").write_text("domain,account\nacme.example,Acme\n", encoding="utf-8")
    [found] = folder.findings(GOOD.replace(name, slip, 1))
    assert found.path == place
    assert "did you mean" in found.message + found.help


def test_what_is_missing_beside_a_misspelt_key_is_said(folder: Folder) -> None:
    (folder.file.parent / "accounts.csv").write_text("domain,account\nacme.example,Acme\n", encoding="utf-8")
    text = GOOD.replace("  url:", "  ul:").replace("  token_url: https://receiver.example/token\n", "")
    assert [each.message for each in folder.findings(text)] == [
        '"token_url" is missing',
        'unknown option, did you mean "url"?',
    ]


def test_each_is_shown_with_its_line_a_caret_and_help(folder: Folder) -> None:
    found = {each.path: each for each in folder.findings(TEN)}
    assert render([found["customergauge.concurrency"]]) == (
        f'{folder.file}:7:16: customergauge.concurrency: must be a whole number, not the text "010"\n'
        " 7 |   concurrency: 010\n"
        "   |                ^^^\n"
        "   = help: write 10, without leading zeros and quotes"
    )


def test_what_was_probably_meant_is_said(folder: Folder) -> None:
    said = {each.path: each.message + each.help for each in folder.findings(TEN)}
    meant = {
        "customergauge.regoin": '"region"',
        "sources.support.evry": '"every"',
        "sources.support.timezone": '"Europe/Berlin"',
        "sources.support.box.auth.basic.usrname": '"username"',
        "sources.support.activity.account": "upper",
        "customergauge.allow_insecure": "true",
    }
    assert [path for path, words in meant.items() if words not in said[path]] == []


def test_what_the_error_itself_says_is_all_of_it(folder: Folder) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        folder.config(TEN)
    assert str(caught.value) == render(caught.value.diagnostics)
    assert caught.value.exit_status == 78


def test_mistakes_in_a_section_that_is_given_twice_are_found_too(folder: Folder) -> None:
    text = folder.source("host: x") + "\nsources:\n  other:\n    evry: 5m\n    box: { port: x, password: hunter2 }\n"
    found = folder.findings(text)
    assert [each.path for each in found] == [
        "sources",
        "sources.other",
        "sources.other.evry",
        "sources.other.box.port",
    ]
    assert "hunter2" not in render(found)
