"""What became of one reference, as a person reads it."""

from __future__ import annotations

from tests.cli.conftest import MAPPING, Office


def test_the_state_comes_first_then_what_it_waits_for_then_where_each_field_comes_from(worked: Office) -> None:
    lines = worked.says("explain", "ORDER-1").out.splitlines()
    assert lines[:4] == [
        "order-1  pending: version 1 is not at CustomerGauge yet",
        "  · no daemon runs",
        "    → `cgsync run` starts it",
        "  · due now in the lane live, next of its source",
    ]
    start = lines.index("fields")
    assert lines[start + 1 : start + 8] == [
        "  reference    order-1              ← order-{{ order.order_no }}   order.order_no: 1",
        "  account      Acme                 ← {{ order.company }}",
        "  type         Order                ← as written in the mapping",
        "  source       Shop export          ← as written in the mapping",
        "  happened_at  2026-03-04 10:00:00  ← {{ order.ordered_at }}",
        "  additional_information_object",
        "    note       fine                 ← {{ order.note }}",
    ]
    origin = lines[lines.index("origin") :]
    assert origin[1:4] == ["  source      orders", "  record      1", "  position    orders.csv line 2"]


def test_what_strangers_wrote_cannot_move_the_cursor(worked: Office) -> None:
    said = worked.says("explain", "order-2")
    assert "late, \\x1b[31mred" in said.out
    assert "\x1b" not in said.out


def test_a_long_text_is_cut_for_people_and_whole_as_json(office: Office) -> None:
    text = "first line\n" + "x" * 500
    (office.drop / "orders.csv").write_text(f'order_no,company,ordered_at,note\n1,Acme,2026-03-04 10:00:00,"{text}"\n')
    office.read()
    said = office.says("explain", "order-1").out
    assert "first line\\nxxx" in said
    assert "… (512 characters)" in said
    found = office.says("explain", "order-1", "--json").json
    assert found["record"]["note"] == found["body"]["additional_information_object"]["note"] == text


def test_a_field_that_was_left_out_and_a_value_that_is_not_there_are_shown(office: Office) -> None:
    office.write(mapping=MAPPING.replace("{{ order.note }}", "{{ order.remark | default('') }}"))
    office.read()
    assert "    note       -                    ← {{ order.remark | default('') }}   order.remark: not there" in (
        office.says("explain", "order-1").out
    )


def test_an_edited_mapping_is_noted_with_what_it_would_change(worked: Office) -> None:
    worked.write(mapping=MAPPING.replace("{{ order.company }}", "{{ order.company | upper }}"))
    lines = worked.says("explain", "order-1").out.splitlines()
    assert lines[-2:] == [
        "  · mapped today, it would differ in account",
        "    → `cgsync plan orders` shows what that would change, `cgsync apply orders` does it",
    ]


def test_what_was_rejected_says_why_and_by_whom(worked: Office) -> None:
    lines = worked.says("explain", "order-3").out.splitlines()
    assert lines[0] == "order-3  never became an activity"
    assert lines[2].startswith("rejected by cgsync as invalid at ")
    assert lines[3] == "  account  is required"
    assert lines[4].startswith("  → orders, orders.csv line 4; `cgsync rejects show ")
    number = lines[4].rsplit(" ", 1)[1].rstrip("`")
    worked.says("rejects", "drop", number, "--reason", "a test \x1border")
    assert "given up at " in (said := worked.says("explain", "3").out)
    assert ": a test \\x1border" in said


def test_the_key_of_the_record_will_do(worked: Office) -> None:
    assert worked.says("explain", "2").out == worked.says("explain", "order-2").out


def test_an_unknown_reference_ends_with_1_and_names_those_that_are_like_it(worked: Office) -> None:
    said = worked.says("explain", "order-99", status=1)
    assert said.out.startswith("order-99  unknown: nothing of that reference was stored, rejected or forgotten\n")
    assert said.out.endswith("known references like it\n  order-1\n  order-2\n")


def test_what_was_forgotten_says_so(worked: Office) -> None:
    worked.says("forget", "order-1")
    said = worked.says("explain", "order-1").out
    assert said.startswith("order-1  forgotten at ")
    assert worked.says("explain", "order-1", "--json").json["state"] == "forgotten"
