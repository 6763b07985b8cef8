"""A preset fills in what the user did not write; mistakes are reported where the user wrote something."""

from __future__ import annotations

import re
from textwrap import dedent

import pytest

from cgsync.config import Config
from cgsync.secrets import MASK, Secret

from .conftest import PRESET, TOP, Desk

WITH = "with: { domain: acme.desk.example, key: the-secret-key }\n"


def only(config: Config) -> dict[str, object]:
    return dict(config.sources["support"].options)


def test_a_preset_fills_in_everything(desk: Desk) -> None:
    source = desk.config(desk.text(WITH)).sources["support"]
    assert source.plugin == "desk"
    assert source.schedule.every is not None
    assert source.schedule.every.total_seconds() == 600
    assert source.options["url"] == "https://acme.desk.example/api"
    assert source.mapping.record_name == "ticket"
    assert source.mapping.activities[0]["type"] == "Ticket"


def test_a_value_alone_keeps_its_type(desk: Desk) -> None:
    given = "with: { domain: x.example, key: the-secret-key, size: 7, teams: [a, b] }"
    assert only(desk.config(desk.text(WITH)))["size"] == 100
    assert only(desk.config(desk.text(given)))["size"] == 7
    assert only(desk.config(desk.text(given)))["more"] == ("a", "b")


def test_what_was_not_given_leaves_its_option_out(desk: Desk) -> None:
    options = only(desk.config(desk.text(WITH)))
    assert options["params"] == {"include": "requester"}
    assert options["teams"] == ("all",)
    assert "more" not in options
    options = only(desk.config(desk.text("with: { domain: x.example, key: the-secret-key, team: red }")))
    assert options["params"] == {"team": "red", "include": "requester"}
    assert options["teams"] == ("red", "all")


def test_two_dollars_are_the_characters_themselves(desk: Desk) -> None:
    [activity] = desk.config(desk.text(WITH)).sources["support"].mapping.activities
    further = activity["additional_information_object"]
    assert further["url"] == "https://acme.desk.example/t/{{ ticket.id }}"
    assert further["note"] == "${with.domain}"


def test_what_the_user_writes_wins(desk: Desk) -> None:
    own = """
    every: 1m
    desk: { headers: { Accept: json }, params: { include: company }, teams: [blue] }
    activity: { type: Support Ticket, additional_information_object: { subject: "{{ ticket.subject }}" } }
    """
    source = desk.config(desk.text(WITH + dedent(own))).sources["support"]
    assert source.schedule.every is not None
    assert source.schedule.every.total_seconds() == 60
    assert source.options["headers"] == {"Authorization": "Token the-secret-key", "Accept": "json"}
    assert source.options["params"] == {"include": "company"}
    assert source.options["teams"] == ("blue",)
    [activity] = source.mapping.activities
    assert activity["type"] == "Support Ticket"
    assert activity["source"] == "Desk"
    assert set(activity["additional_information_object"]) == {"url", "note", "subject"}


def test_a_choice_is_replaced_whole(desk: Desk) -> None:
    assert only(desk.config(desk.text(WITH + "desk: { auth: { token: another-secret } }")))["auth"] == {
        "token": Secret("another-secret")
    }


def test_forms_that_exclude_each_other_are_not_mixed(desk: Desk) -> None:
    desk.plugin("desk", PRESET.replace("    size:", "    paginate: { page: 1, start: 2 }\n    size:"))
    kept = only(desk.config(desk.text(WITH + "desk: { paginate: { page: 5 } }")))["paginate"]
    replaced = only(desk.config(desk.text(WITH + "desk: { paginate: { link: next } }")))["paginate"]
    assert (kept, replaced) == ({"page": 5, "start": 2}, {"link": "next"})


def test_cron_stands_for_every_and_the_array_for_the_object(desk: Desk) -> None:
    own = """
    cron: "*/5 * * * *"
    desk:
    activity: { additional_information_array: { subject: "{{ ticket.subject }}" } }
    """
    source = desk.config(desk.text(WITH + dedent(own))).sources["support"]
    assert source.schedule.every is None
    assert "additional_information_object" not in source.mapping.activities[0]


def test_a_list_of_activities_replaces_the_one(desk: Desk) -> None:
    entry = '{ reference: "a-{{ ticket.id }}", account: A, type: T, source: S, happened_at: "{{ ticket.at }}" }'
    source = desk.config(desk.text(WITH + f"activity: [{entry}]")).sources["support"]
    assert [each["reference"] for each in source.mapping.activities] == ["a-{{ ticket.id }}"]


def test_a_mode_is_laid_over_the_source(desk: Desk) -> None:
    text = desk.text("with: { domain: x.example, key: the-secret-key, mode: events }")
    [activity] = desk.config(text).sources["support"].mapping.activities
    assert activity["reference"] == "desk-{{ ticket.id }}-{{ ticket.at }}"
    assert activity["account"] == "{{ ticket.company }}"


def test_secrets_stay_secret(desk: Desk) -> None:
    origins = desk.origins(desk.text(WITH))
    for path in ("with.key", "desk.auth.basic.username", "desk.headers.Authorization"):
        assert origins[path][0] == MASK
    assert desk.redactor("the-secret-key, Token") == f"{MASK}, Token"


def test_a_secret_in_a_file_that_all_may_read_is_refused_once(desk: Desk) -> None:
    desk.write("cgsync.yaml", desk.text(WITH).replace("${SECRET}", "${SECRET:-}"))
    desk.write("with.yaml", "sources: { support: { preset: tickets, " + WITH.strip() + " } }", 0o644)
    found = desk.findings(TOP + "include: with.yaml\n")
    assert [each.path for each in found] == ["sources.support.with.key"]


def test_each_value_tells_where_it_came_from(desk: Desk) -> None:
    origins = desk.origins(desk.text(WITH + "activity: { type: Call }"))
    assert origins["activity.source"] == ("Desk", "preset tickets")
    assert origins["activity.type"] == ("Call", f"{desk.file}:11")
    assert origins["desk.size"] == (100, "preset tickets")
    assert origins["desk.auth.basic.username"][1] == f"{desk.file}:10"
    assert origins["timezone"] == ("UTC", "default")


def test_the_environment_and_credentials_stand_for_what_is_given(desk: Desk) -> None:
    desk.environ["DOMAIN"] = "env.example"
    text = desk.text("with: { domain: '${DOMAIN}', key: '${file:key}' }")
    desk.write("key", "from-the-file\n")
    options = only(desk.config(text))
    assert options["url"] == "https://env.example/api"
    assert options["headers"] == {"Authorization": "Token from-the-file"}


def test_a_changed_text_is_another_source(desk: Desk) -> None:
    before = desk.config(desk.text(WITH)).sources["support"].fingerprint
    assert desk.config(desk.text(WITH)).sources["support"].fingerprint == before
    desk.plugin("desk", PRESET.replace("Tickets of", "All tickets of"))
    assert desk.config(desk.text(WITH)).sources["support"].fingerprint != before


def test_a_preset_that_nobody_has(desk: Desk) -> None:
    found = desk.finding(desk.text(WITH, "preset: ticket\n"))
    assert found.message == 'there is no such preset, did you mean "tickets"?'
    assert re.fullmatch(r"there are: .*\btickets\b.*", found.help)
    assert found.path == "sources.support.preset"


def test_other_mistakes_are_found_beside_it(desk: Desk) -> None:
    found = desk.findings(desk.text("evry: 5m\njitter: 5\n", "preset: ticket\n"))
    assert [each.path for each in found] == [f"sources.support.{key}" for key in ("preset", "evry", "jitter")]


def test_a_broken_plugin_is_passed_over(desk: Desk) -> None:
    desk.write("plugins/ruin.py", "raise RuntimeError('no')")
    assert only(desk.config(desk.text(WITH)))["url"] == "https://acme.desk.example/api"
    assert "plugin ruin is broken: RuntimeError: no" in desk.finding(desk.text(WITH, "preset: other\n")).help


def test_two_plugins_with_one_preset_are_told_apart(desk: Desk) -> None:
    desk.plugin("zdesk", PRESET.replace("desk:\n", "zdesk:\n"))
    found = desk.finding(desk.text(WITH))
    assert (found.message, found.help) == (
        "several plugins have a preset of that name",
        "desk/tickets or zdesk/tickets",
    )
    assert desk.config(desk.text(WITH, "preset: zdesk/tickets\n")).sources["support"].plugin == "zdesk"
    assert desk.config(desk.text(WITH + "zdesk: { size: 3 }")).sources["support"].plugin == "zdesk"


def test_a_broken_preset_harms_only_who_uses_it(desk: Desk) -> None:
    desk.plugin("desk", PRESET.replace("${with.size}", "${with.sise}"))
    found = desk.finding(desk.text(WITH))
    assert found.message.startswith("preset tickets of plugin desk is broken: source has a ${…} that is none of with")
    assert desk.config(desk.text(WITH).split("sources:")[0]).sources == {}


def test_what_the_preset_asks_for_is_named_in_its_words(desk: Desk) -> None:
    found = desk.findings(desk.text(""))
    assert [(each.line, each.message, each.help) for each in found] == [
        (9, '"domain" is missing', "where it is, as acme.desk.example"),
        (9, '"key" is missing', "your API key"),
    ]


def test_a_wrong_value_is_found_where_it_was_given(desk: Desk) -> None:
    given = "with: { domain: x.example, kye: the-secret-key, size: many }"
    found = desk.findings(desk.text(given))
    assert [(each.line, each.path.rpartition(".")[2]) for each in found] == [(10, "kye"), (10, "size")]
    assert "the-secret-key" not in str([each.snippet for each in found])


def test_a_mistake_in_what_a_preset_says_is_shown_at_its_name(desk: Desk) -> None:
    found = desk.findings(desk.text(WITH + "as: other"))
    assert {each.line for each in found} == {9}
    assert all(each.message.endswith("(in preset tickets)") for each in found)


def test_with_needs_a_preset(desk: Desk) -> None:
    entry = 'activity: { account: A, type: T, source: S, happened_at: "{{ record.at }}" }\n'
    found = desk.finding(desk.text(f"desk: {{ url: x }}\n{entry}{WITH}", ""))
    assert (found.path, found.message) == ("sources.support.with", "stands without a preset that asks for it")


def test_a_preset_and_another_plugin_are_one_too_many(desk: Desk) -> None:
    found = desk.findings(desk.text(WITH + "files: { path: /x, key: row }"))
    assert any(each.message.startswith("a source has one plugin") for each in found)


@pytest.mark.parametrize("named", ["preset: [tickets]\n", "preset:\n", "preset: 7\n", 'preset: ""\n'])
def test_a_preset_is_a_name(desk: Desk, named: str) -> None:
    assert {each.path for each in desk.findings(desk.text(WITH, named))} == {"sources.support.preset"}
