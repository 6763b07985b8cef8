"""Every verb: what it prints, as JSON and in a pipe, and with what status it ends."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.conftest import MAPPING, Office

LENIENT = MAPPING.replace("{{ order.company }}", "{{ order.company or 'Unknown' }}")

READING = [
    ("status",),
    ("audit",),
    ("rejects", "list"),
    ("rejects", "list", "--each"),
    ("rejects", "show", "1"),
    ("checkpoint", "list"),
    ("checkpoint", "list", "orders"),
    ("explain", "order-2"),
    ("outbox", "list"),
    ("outbox", "show", "order-2"),
    ("config", "show"),
    ("check",),
    ("plugin", "list"),
]


@pytest.mark.parametrize("words", [*READING, ("preview", "orders")], ids=" ".join)
def test_json_is_json_and_a_pipe_gets_no_escape_sequence(worked: Office, words: tuple[str, ...]) -> None:
    status = 3 if words[0] == "preview" else 0
    as_json = worked.says(*words, "--json", status=status)
    json.loads(as_json.out)
    plain = worked.says(*words, status=status)
    assert "\x1b" not in as_json.out + plain.out + plain.err
    assert "a-secret-value" not in as_json.out + plain.out + plain.err


@pytest.mark.parametrize("words", [("status",), ("rejects", "list"), ("explain", "x"), ("checkpoint", "list")])
def test_reading_never_creates_a_ledger(office: Office, words: tuple[str, ...]) -> None:
    said = office.says(*words, status=1)
    assert "nothing is stored in" in said.err
    assert "→ `cgsync run` starts it" in said.err
    assert not (office.folder / "state").exists()


def test_preview_shows_records_beside_what_they_become_and_leaves_nothing_behind(office: Office) -> None:
    said = office.says("preview", "orders", status=3)
    assert "company: Müller & Söhne" in said.out
    assert "\\x1b[31mred" in said.out
    assert "reference: order-1" in said.out
    assert "✗ account:" in said.out
    assert not (office.folder / "state").exists()
    [one] = office.says("preview", "orders", "-n", "1", "--json").json["records"]
    assert one["verdict"] == "activity"


def test_what_a_plugin_logs_does_not_stand_in_the_output(office: Office) -> None:
    office.plug("self.log.warning('slow', secret='a-secret-value'); return Batch()")
    said = office.says("preview", "orders", "--json")
    assert said.json == {"requests": [], "records": [], "error": "", "hint": ""}
    assert "slow" in said.err
    assert "a-secret-value" not in said.err


def test_a_bug_of_a_plugin_is_an_error_in_words(office: Office) -> None:
    office.plug("raise ZeroDivisionError('by zero')")
    said = office.says("preview", "orders", status=1)
    assert said.err.endswith("cgsync: ZeroDivisionError: by zero\n  → this is a bug of the plugin\n")
    assert "box.py" in said.err, "whoever wrote it wants the traceback"
    [_, source] = office.says("check", "--online", "--json", status=1).json
    assert source["seen"] == "ZeroDivisionError: by zero (this is a bug of the plugin)"


def test_preview_does_not_tell_the_ledger_of_a_source(worked: Office) -> None:
    worked.write(name="shop")
    worked.says("preview", "shop", status=3)
    worked.says("source", "rename", "orders", "shop")


def test_status_lists_sources_and_what_waits(worked: Office) -> None:
    said = worked.says("status")
    assert "no daemon runs" in said.out
    header, line = [line.split("\t") for line in said.out.splitlines() if "\t" in line]
    assert dict(zip(header, line, strict=True))["read"] == "4"
    assert "outbox pending  2" in said.out
    assert worked.says("status", "--json").json["outbox"] == {"pending": 2}


def test_audit_proves_that_the_books_balance(worked: Office) -> None:
    said = worked.says("audit")
    assert "the books balance" in said.out
    assert worked.says("audit", "--json").json["ok"] is True


# Rejects.


def numbers(office: Office) -> dict[str, int]:
    return {line["position"]: line["id"] for line in office.says("rejects", "list", "--each", "--json").json}


def test_rejects_are_listed_by_cause_and_one_by_one(worked: Office) -> None:
    causes = worked.says("rejects", "list", "--json").json
    assert [each["count"] for each in causes] == [1, 1]
    each = worked.says("rejects", "list", "--each").out
    assert "account:" in each
    assert "orders.csv" in each
    assert worked.says("rejects", "list", "--source", "other").err == "nothing is rejected\n"


def test_a_reject_is_shown_with_record_and_reason(worked: Office) -> None:
    [number, _] = sorted(numbers(worked).values())
    said = worked.says("rejects", "show", str(number))
    assert "no company" in said.out
    assert "reason account" in said.out
    assert "there is no reject 99" in worked.says("rejects", "show", "99", status=1).err


def test_retry_with_another_mapping_turns_a_reject_into_an_activity(worked: Office) -> None:
    assert worked.says("rejects", "retry", "--all", "--json", status=3).json["still_rejected"] == 2
    worked.write(mapping=LENIENT)
    said = worked.says("rejects", "retry", "--all", status=3)
    assert "new" in said.out
    assert worked.says("explain", "order-3", "--json").json["body"]["account"] == "Unknown"
    assert len(numbers(worked)) == 1
    worked.says("audit")


def test_drop_gives_rejects_up_for_a_reason_that_is_kept(worked: Office) -> None:
    [first, second] = sorted(numbers(worked).values())
    assert worked.says("rejects", "drop", str(first), "--reason", "a test order").out == "1 dropped\n"
    assert list(numbers(worked).values()) == [second]
    assert "a test order" in worked.says("rejects", "show", str(first)).out
    assert worked.says("rejects", "drop", "--all", "--source", "orders", "--reason", "too").out == "1 dropped\n"
    assert numbers(worked) == {}
    dropped = worked.says("rejects", "list", "--dropped", "--each", "--json").json
    assert sorted(line["id"] for line in dropped) == [first, second]


def test_all_of_one_cause_are_chosen_by_one_of_them(worked: Office) -> None:
    [first, second] = sorted(numbers(worked).values())
    assert worked.says("rejects", "drop", "--like", str(second), "--reason", "no").out == "1 dropped\n"
    assert list(numbers(worked).values()) == [first]


def test_drop_wants_a_reason(worked: Office) -> None:
    assert "--reason" in worked.says("rejects", "drop", "--all", status=2).err


@pytest.mark.parametrize("verb", [("retry",), ("drop", "--reason", "x")])
@pytest.mark.parametrize("words", [(), ("1", "--all"), ("1", "--like", "2")])
def test_retry_and_drop_want_numbers_or_a_cause_or_all(worked: Office, verb: Any, words: tuple[str, ...]) -> None:
    assert "or say --all" in worked.says("rejects", *verb, *words, status=2).err
    assert len(numbers(worked)) == 2


# Checkpoints.


def parts(office: Office) -> dict[str, Any]:
    return {each["part"]: each["value"] for each in office.says("checkpoint", "list", "--json").json}


def test_a_checkpoint_is_shown_set_and_reset(worked: Office) -> None:
    [part] = parts(worked)
    assert worked.says("checkpoint", "show", "orders", part, "--json").json["value"] == parts(worked)[part]
    assert part in worked.says("checkpoint", "show", "orders", part).out
    worked.says("checkpoint", "set", "orders", "mine", '{"at": 7}')
    assert parts(worked)["mine"] == {"at": 7}
    assert worked.says("checkpoint", "reset", "orders", "mine").out == "orders: 1 parts forgotten\n"
    assert worked.says("checkpoint", "reset", "orders").out == "orders: 1 parts forgotten\n"
    assert parts(worked) == {}


def test_a_reset_source_is_read_again_and_what_did_not_change_is_not_sent_again(worked: Office) -> None:
    worked.says("checkpoint", "reset", "orders")
    worked.read()
    status = worked.says("status", "--json").json
    assert (status["sources"][0]["read"], status["outbox"]) == (8, {"pending": 2})
    worked.says("audit")


def test_wrong_values_and_unknown_parts_and_sources_are_refused(worked: Office) -> None:
    assert "VALUE is not JSON" in worked.says("checkpoint", "set", "orders", "p", "{oops", status=2).err
    assert "has no part 'p'" in worked.says("checkpoint", "show", "orders", "p", status=2).err
    assert "nothing is stored of a source 'shop'" in worked.says("checkpoint", "reset", "shop", status=1).err
    assert len(parts(worked)) == 1


# Sources.


@pytest.mark.parametrize("first", ["command", "configuration"])
def test_a_source_is_renamed_before_or_after_the_configuration_is(worked: Office, first: str) -> None:
    if first == "configuration":
        worked.write(name="shop")
    assert "orders is now shop" in worked.says("source", "rename", "orders", "shop").out
    worked.write(name="shop")
    worked.read()
    [source] = worked.says("status", "--json").json["sources"]
    assert (source["source"], source["uid"], source["read"]) == ("shop", "orders", 4), "nothing was read again"


def test_drop_asks_first_and_ends_a_source(worked: Office) -> None:
    worked.write(name="shop")
    assert "orders is dropped, with 2 activities" in worked.says("source", "drop", "orders", "--yes").out
    assert worked.says("checkpoint", "list", "--json").json == []
    assert "nothing is stored" in worked.says("source", "drop", "orders", "--yes", status=1).err
    worked.says("audit")


def test_the_command_that_a_changed_plugin_asks_for_works(worked: Office) -> None:
    """Another plugin under a known name is refused with the command to type, and that command helps."""
    worked.plug("return None")
    worked.says("status")
    assert "cgsync source drop orders" in worked.says("rejects", "retry", "--all", status=78).err
    worked.says("source", "drop", "orders", "--yes")
    worked.read()
    assert worked.says("status", "--json").json["sources"][0]["source"] == "orders"


# The configuration.


def test_check_names_every_mistake_with_its_place(office: Office) -> None:
    good = office.says("check")
    assert good.out.endswith("ok, 1 sources\n")
    office.write(mapping=MAPPING.replace("account:", "acount:").replace("as: order", "as: order\n    evry: 5m"))
    bad = office.says("check", status=78)
    assert "cgsync.yaml:" in bad.out
    assert "2 errors" in bad.out or "3 errors" in bad.out
    found = office.says("check", "--json", status=78).json
    assert {"evry", "acount"} <= {each["path"].rsplit(".", 1)[-1] for each in found}


def test_a_broken_configuration_stops_every_verb_with_78(worked: Office) -> None:
    worked.file.write_text("customergauge: [\n")
    for words in (("status",), ("preview", "orders"), ("config", "show"), ("check",)):
        worked.says(*words, status=78)


def test_config_show_tells_each_value_and_where_it_is_from(office: Office) -> None:
    shown = {each["path"]: each for each in office.says("config", "show", "--json").json}
    assert shown["customergauge.client_id"]["value"] == "me"
    assert "cgsync.yaml:" in shown["customergauge.client_id"]["origin"]
    assert shown["customergauge.client_secret"]["value"] == "********"
    assert any(each["origin"] == "default" for each in shown.values())


def test_schemas_are_json(office: Office) -> None:
    assert "files" in json.dumps(office.says("schema", "config").json)
    assert office.says("schema", "activity").json["type"] == "object"


def test_plugin_list_names_the_bundled_ones(office: Office) -> None:
    assert {"name": "files", "state": "ok"}.items() <= office.says("plugin", "list", "--json").json[0].items()


def test_plugin_show_tells_options_and_a_sample(office: Office) -> None:
    said = office.says("plugin", "show", "files").out
    assert "path\tstring\trequired\tThe folder.\n" in said
    assert "csv.delimiter\tstring\tauto\t" in said
    assert "sources:\n  my-files:\n    files:\n      path:" in said
    shown = office.says("plugin", "show", "files", "--json").json
    assert shown["options"][0] == {
        "path": "path",
        "kind": "string",
        "required": True,
        "secret": False,
        "default": None,
        "description": "The folder.",
    }


def test_what_is_no_plugin_and_no_preset_is_said(office: Office) -> None:
    said = office.says("plugin", "show", "fils", status=1)
    assert "there is no plugin 'fils', did you mean files?" in said.err
    assert "there is no preset 'ticket'" in office.says("preset", "show", "ticket", status=1).err


def test_a_preset_of_ones_own_plugin_is_listed_and_shown(office: Office) -> None:
    office.plug("return None")
    plugin = office.folder / "plugins" / "box.py"
    preset = (
        "title: Tickets of Box\nwith: { type: object, required: [key], properties: "
        "{ key: { type: string, x-secret: true, description: your key } } }\nsource: { every: 5m }\n"
    )
    text = plugin.read_text().replace("open=open_box", f"open=open_box, presets={{'tickets': {preset!r}, 'bad': '7'}}")
    plugin.write_text(text)
    [bad, listed] = [each for each in office.says("preset", "list", "--json").json if each["plugin"] == "box"]
    assert bad["title"].startswith("broken: is not a mapping")
    assert listed == {"name": "tickets", "plugin": "box", "title": "Tickets of Box", "asks for": "key"}
    said = office.says("preset", "show", "box/tickets").out
    assert "key\tstring, secret\trequired\tyour key\n" in said
    assert "    preset: tickets\n    with:\n      key: …\n" in said
    assert preset.strip() in said
    assert office.says("preset", "show", "tickets", "--json").json["source"] == {"every": "5m"}
    assert office.says("plugin", "list", "--json").json[0]["presets"] == 2


# What needs a decision.


def test_a_ledger_of_another_receiver_is_refused_until_somebody_decides(worked: Office) -> None:
    worked.write(client="somebody-else")
    refused = worked.says("status", status=78)
    assert "cgsync doctor --new-receiver resend" in refused.err
    said = worked.says("doctor", "--new-receiver", "keep")
    assert "as me, now to" in said.out
    assert worked.says("status", "--json").json["outbox"] == {"pending": 2}


def test_resend_says_how_many_go_to_the_new_receiver(worked: Office) -> None:
    worked.write(client="somebody-else")
    assert "2 activities will be sent" in worked.says("doctor", "--new-receiver", "resend").out
    worked.says("audit")


def test_a_restored_copy_is_sent_again_whatever_it_says(worked: Office) -> None:
    assert "2 activities will be sent" in worked.says("doctor", "--restored").out
    worked.says("audit")


def test_doctor_wants_to_be_told(worked: Office) -> None:
    worked.says("doctor", status=2)
    worked.says("doctor", "--new-receiver", "perhaps", status=2)


def test_reload_without_a_daemon_is_69(worked: Office) -> None:
    said = worked.says("reload", status=69)
    assert "no daemon runs on this configuration" in said.err
    assert "cgsync run -c" in said.err
