"""A source has one plugin, one schedule and a mapping, and a fingerprint that changes with anything of it."""

from __future__ import annotations

from datetime import timedelta
from types import MappingProxyType
from typing import Any

import pytest

from cgsync.config import load
from cgsync.secrets import Secret

from .conftest import ACTIVITY, PLUGIN, TOP, Folder

MANY = (
    PLUGIN.replace('name="box"', 'name="many"')
    .replace(
        "open=open_box",
        "open=open_box, expand=expand",
    )
    .replace(
        "@hook",
        """
def expand(options):
    from cgsync.api import Member, SourceMisconfigured
    if "idle" in options["folders"]:
        raise SourceMisconfigured("folders: 1: is not to be idle", hint="name another")
    return [Member(name=name, options={**options, "host": name}) for name in options["folders"]]

@hook""",
    )
)


def test_options_are_frozen_complete_and_of_their_types(folder: Folder) -> None:
    source = folder.config(folder.source("password: hunter2hunter2\nwait: 1h30m\nfolders: [a, b]")).sources["support"]
    assert source.options == MappingProxyType(
        {
            "password": Secret("hunter2hunter2"),
            "wait": timedelta(minutes=90),
            "folders": ("a", "b"),
            "port": 993,
            "cap": 65536,
        }
    )
    with pytest.raises(TypeError):
        source.options["port"] = 1
    assert folder.redactor("hunter2hunter2") == "********"


def test_an_empty_plugin_takes_its_defaults(folder: Folder) -> None:
    text = folder.source("").replace("box:\n      {}", "box:")
    assert folder.config(text).sources["support"].options["wait"] == timedelta(seconds=90)


def test_the_default_schedule_is_every_five_minutes_in_utc(folder: Folder) -> None:
    schedule = folder.config(folder.source("host: x")).sources["support"].schedule
    assert (schedule.every, schedule.cron, schedule.timezone.key) == (timedelta(minutes=5), None, "UTC")


def test_cron_stands_instead_of_every(folder: Folder) -> None:
    core = "cron: '*/5 8-18 * * mon-fri'\ntimezone: Europe/Berlin\njitter: 30s\n"
    schedule = folder.config(folder.source("host: x", core=core)).sources["support"].schedule
    assert (schedule.every, schedule.cron) == (None, "*/5 8-18 * * mon-fri")
    assert (schedule.timezone.key, schedule.jitter) == ("Europe/Berlin", timedelta(seconds=30))


@pytest.mark.parametrize(
    ("core", "path", "words"),
    [
        ("every: 1m\ncron: '* * * * *'\n", "sources.support.cron", "beside every"),
        ("every: 0s\n", "sources.support.every", "at least 1s"),
        ("every: 5\n", "sources.support.every", "unit is missing"),
        ("cron: '* * * *'\n", "sources.support.cron", "five fields"),
        ("cron: '61 * * * *'\n", "sources.support.cron", "is no schedule"),
        ("timezone: Europe/Berln\n", "sources.support.timezone", 'did you mean "Europe/Berlin"'),
        ("timezone: ../etc/passwd\n", "sources.support.timezone", "no such time zone"),
        ("timezone: Europe\n", "sources.support.timezone", "no such time zone"),
        ("as: a-b\n", "sources.support.as", "form that is wanted"),
        ("shared: maybe\n", "sources.support.shared", "true or false"),
        ("preset: nobodys\n", "sources.support.preset", "there is no such preset"),
        ("when: '{{ record.x | nope }}'\n", "sources.support.when", "nope"),
        ("when: '{{ ticket.x }}'\n", "sources.support.when", "ticket"),
    ],
)
def test_what_is_wrong_beside_the_plugin_is_found(folder: Folder, core: str, path: str, words: str) -> None:
    found = folder.finding(folder.source("host: x", core=core))
    assert found.path == path
    assert words in found.message


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("boxx: { host: x }", 'did you mean "box"?'),
        ("telephone: { password: hunter2 }", "no plugin of that name is installed"),
        ("every: 5m", "does not say which plugin"),
        ("evry: 5m", 'did you mean "every"?'),
        ("box: { host: x }\n    files: { path: x, key: row }", "one plugin"),
    ],
)
def test_a_source_names_one_plugin_that_is_installed(folder: Folder, lines: str, words: str) -> None:
    activity = "    activity: { account: a, type: t, source: s, happened_at: '{{ record.at }}' }\n"
    found = folder.findings(f"{TOP}sources:\n  support:\n    {lines}\n{activity}")
    assert words in found[-1].message
    assert "hunter2" not in found[-1].snippet


def test_a_source_that_is_no_mapping_is_one_finding(folder: Folder) -> None:
    assert folder.finding(TOP + "sources:\n  support: box\n").path == "sources.support"
    assert folder.finding(TOP + "sources: [support]\n").path == "sources"


def test_a_name_that_cannot_be_one_is_found_at_its_key(folder: Folder) -> None:
    found = folder.finding(folder.source("host: x").replace("support:", "a/b:"))
    assert (found.line, found.column, found.path) == (8, 3, "sources.a/b")


@pytest.mark.parametrize(
    ("activity", "path", "words"),
    [
        ("activity: { account: a, type: t, source: s }", "sources.support.activity", "happened_at"),
        ("activity: []", "sources.support.activity", "at least 1 item"),
        ("activity: text", "sources.support.activity", "must be a mapping"),
        ("activity:\n- { account: a, type: t, source: s, happened_at: '{{ record.at }}', acount: x }",
         "sources.support.activity[0].acount", "unknown key"),
        ("activity: { account: [a], type: t, source: s, happened_at: '{{ record.at }}' }",
         "sources.support.activity.account", "must be text"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_mapping_is_found_at_its_place(
    folder: Folder, activity: str, path: str, words: str
) -> None:
    found = folder.finding(folder.source("host: x", activity=activity))
    assert found.path == path
    assert words in found.message


def test_numbers_in_the_text_keys_of_an_activity_are_text(folder: Folder) -> None:
    activity = ACTIVITY.replace("type: Order", "type: 1.10\n  additional_information_object: { n: 1.10 }")
    mapping = folder.config(folder.source("host: x", activity=activity)).sources["support"].mapping
    assert mapping.activities[0]["type"] == "1.10"
    assert mapping.activities[0]["additional_information_object"] == {"n": 1.1}


def test_a_broken_plugin_takes_only_its_own_sources_along(folder: Folder) -> None:
    folder.write("plugins/bad.py", "raise SystemExit('no licence')")
    text = folder.source("host: x")
    extra = text.split("sources:\n")[1].replace("support:", "other:").replace("box:", "bad:")
    config = folder.config(text + "\n" + extra)
    assert list(config.sources) == ["support"]
    assert "no licence" in config.broken["other"].reason


def test_an_entry_may_stand_for_several_sources(folder: Folder) -> None:
    folder.write("plugins/many.py", MANY)
    config = folder.config(folder.source("folders: [alice, bob]").replace("box:", "many:"))
    assert {name: each.options["host"] for name, each in config.sources.items()} == {
        "support/alice": "alice",
        "support/bob": "bob",
    }
    assert {each.expanded_from for each in config.sources.values()} == {"support"}


def test_a_member_without_a_name_keeps_that_of_the_entry(folder: Folder) -> None:
    folder.write("plugins/many.py", MANY.replace("name=name, options", "options"))
    [source] = folder.config(folder.source("folders: [alice]").replace("box:", "many:")).sources.values()
    assert (source.name, source.expanded_from, source.options["host"]) == ("support", None, "alice")


def test_what_an_expansion_refuses_is_shown_where_it_stands(folder: Folder) -> None:
    folder.write("plugins/many.py", MANY)
    found = folder.finding(folder.source("folders: [alice, idle]").replace("box:", "many:"))
    assert (found.path, found.message) == ("sources.support.many.folders[1]", "is not to be idle")
    assert found.help == "name another"


def test_what_is_wrong_with_a_member_is_shown_at_that_member(folder: Folder) -> None:
    judge = "raise SourceMisconfigured(f\"no {options['host']}\")"
    text = MANY.replace("expand=expand", "expand=expand, judge=judge").replace(
        "def expand",
        f"def judge(options, template):\n    from cgsync.api import SourceMisconfigured\n    {judge}\n\ndef expand",
    )
    folder.write(
        "plugins/many.py", text.replace("name=name, ", "name=name, at=('folders', options['folders'].index(name)), ")
    )
    found = folder.findings(folder.source("folders: [alice, bob]").replace("box:", "many:"))
    assert [(each.path, each.message) for each in found] == [
        ("sources.support.many.folders[0]", "no alice"),
        ("sources.support.many.folders[1]", "no bob"),
    ]


@pytest.mark.parametrize(
    "expand",
    [
        "1 / 0",
        "['a']",
        "{'a': {}}",
        "[Member(name='a/b', options={})]",
        "[Member(options=1)]",
        "[Member(options={})] * 2",
    ],
)
def test_an_expansion_that_fails_is_a_finding(folder: Folder, expand: str) -> None:
    text = PLUGIN.replace("open=open_box", f"open=open_box, expand=lambda _: {expand}").replace('"box"', '"many"')
    folder.write("plugins/many.py", text.replace("import SourceType", "import Member, SourceType"))
    found = folder.finding(folder.source("host: x").replace("box:", "many:"))
    assert (found.path, "expand()" in found.message) == ("sources.support.many", True)


JUDGING = (
    PLUGIN.replace("open=open_box", "open=open_box, judge=judge")
    .replace('name="box"', 'name="strict"')
    .replace(
        "@hook",
        """
def judge(options, template):
    from cgsync.api import SourceMisconfigured
    for place, folder in enumerate(options["folders"]):
        if folder.startswith("-"):
            raise SourceMisconfigured(f"folders: {place}: begins with a dash", hint="leave it out")
    if "idle" not in options:
        raise SourceMisconfigured(f"{options.get('host')!r} cannot do without idle")
    template(options["host"])
    if options["host"] == "fail":
        raise KeyError("x")

@hook""",
    )
)


@pytest.mark.parametrize(
    ("options", "path", "words", "help_"),
    [
        ("idle: true\nhost: x\nfolders: [a, -b]", "folders[1]", "begins with a dash", "leave it out"),
        ("host: there", "host", "'there' cannot do without idle", ""),
        ("{}", "", "None cannot do without idle", ""),
        ('idle: true\nhost: "{{ x | }}"', "host", "is no template", ""),
        ("idle: true\nhost: fail", "", "judge() of the plugin failed: KeyError", "this is a mistake of the plugin"),
    ],
)
def test_what_no_schema_can_say_is_found_at_its_place(
    folder: Folder, options: str, path: str, words: str, help_: str
) -> None:
    folder.write("plugins/strict.py", JUDGING)
    found = folder.finding(folder.source(options).replace("box:", "strict:"))
    assert (found.path, found.help) == (f"sources.support.strict.{path}".rstrip("."), help_)
    assert words in found.message


def test_what_a_word_stands_for_is_not_judged(folder: Folder) -> None:
    folder.write("plugins/strict.py", JUDGING)
    path = folder.write("cgsync.yaml", folder.source("host: ${NOT_SET}").replace("box:", "strict:"))
    assert list(load(path, environ={}, placeholders=True).sources) == ["support"]


def test_options_that_a_plugin_finds_right_are_taken(folder: Folder) -> None:
    folder.write("plugins/strict.py", JUDGING)
    text = folder.source("idle: true\nhost: x").replace("box:", "strict:")
    assert list(folder.config(text).sources) == ["support"]


def fingerprint(folder: Folder, options: str = "host: x", **parts: str) -> str:
    return folder.config(folder.source(options, **parts)).sources["support"].fingerprint


def test_the_fingerprint_changes_with_what_concerns_the_source(folder: Folder) -> None:
    first = fingerprint(folder)
    changed = [
        fingerprint(folder, "host: y"),
        fingerprint(folder, core="every: 6m\n"),
        fingerprint(folder, core="timezone: Europe/Berlin\n"),
        fingerprint(folder, core="shared: true\n"),
        fingerprint(folder, core="limits: { new_accounts: 7 }\n"),
        fingerprint(folder, core="freshness: 2d\n"),
        fingerprint(folder, core="when: '{{ record.ok }}'\n"),
        fingerprint(folder, activity=ACTIVITY.replace("Order", "Ticket")),
        fingerprint(folder, "password: one"),
        fingerprint(folder, "password: two"),
    ]
    assert len({first, *changed}) == 1 + len(changed)


def test_the_fingerprint_changes_with_a_secret_from_outside_and_with_the_plugin_file(folder: Folder) -> None:
    seen = set()
    for secret in ("one", "two"):
        folder.environ["PW"] = secret
        seen.add(fingerprint(folder, "password: ${PW}"))
    folder.write("plugins/box.py", PLUGIN + "\n# edited\n")
    seen.add(fingerprint(folder, "password: ${PW}"))
    assert len(seen) == 3


def test_the_fingerprint_does_not_change_with_the_rest(folder: Folder) -> None:
    text = folder.source("host: x")
    one = folder.config(text).sources["support"].fingerprint
    assert folder.config("# a comment\n" + text + "\nlog: { level: debug }\n").sources["support"].fingerprint == one


def test_a_sources_limits_are_its_own_and_otherwise_those_for_all(folder: Folder) -> None:
    def new_accounts(top: str, core: str) -> int | None:
        return folder.config(top + folder.source("host: x", core=core)).sources["support"].limits.new_accounts

    assert new_accounts("", "") is None
    assert new_accounts("limits: { new_accounts: 9 }\n", "") == 9
    assert new_accounts("limits: { new_accounts: 9 }\n", "limits: {}\n") == 9
    assert new_accounts("limits: { new_accounts: 9 }\n", "limits: { new_accounts: 0 }\n") == 0


def test_a_constant_that_the_contract_refuses_is_found_before_any_record_is(folder: Folder) -> None:
    found = folder.finding(folder.source("host: x", activity=ACTIVITY.replace("type: Order", f"type: {'x' * 101}")))
    assert found.path == "sources.support.activity.type"
    assert "100" in found.message


def test_a_constant_outside_the_tenants_own_lists_is_found_too(folder: Folder) -> None:
    found = folder.finding(folder.source("host: x") + "\ncontract: { types: [Ticket, Call] }\n")
    assert found.path == "sources.support.activity.type"
    folder.config(folder.source("host: x") + "\ncontract: { types: [Ticket, Order] }\n")


def test_how_long_a_source_may_be_silent_is_its_own_to_say_else_what_holds_for_all_else_learned(folder: Folder) -> None:
    def freshness(top: str, core: str) -> Any:
        return folder.config(top + folder.source("host: x", core=core)).sources["support"].freshness

    assert freshness("", "") == "learned"
    assert freshness("freshness: off\n", "") == "off"
    assert freshness("freshness: off\n", "freshness: 2d12h\n") == timedelta(days=2, hours=12)
    assert freshness("freshness: 1w\n", "freshness: learned\n") == "learned"


@pytest.mark.parametrize(
    ("written", "words"),
    [("never", "does not have the form"), ("5", "does not have the form"), ("0s", "must be at least 1s")],
)
def test_what_is_no_length_of_a_silence_is_refused_at_its_place(folder: Folder, written: str, words: str) -> None:
    below = folder.finding(folder.source("host: x", core=f"freshness: {written}\n"))
    top = folder.finding(f"freshness: {written}\n" + folder.source("host: x"))
    assert (below.path, top.path) == ("sources.support.freshness", "freshness")
    assert words in below.message
    assert words in top.message
