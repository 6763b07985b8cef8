"""A reference belongs to whoever used it first."""

from __future__ import annotations

from typing import Any

from cgsync.ledger import rejects, sources


def reasons(desk: Any) -> list[str]:
    return [line.reasons["reference"] for line in rejects.list_each(desk.conn)]


def test_a_reference_belongs_to_the_source_that_first_used_it(desk: Any) -> None:
    desk.store(desk.record("a", "A"))
    stored = desk.store(desk.record("a", "B"), source="t")
    assert (stored.counts["conflict"], stored.due) == (1, [])
    [reason] = reasons(desk)
    assert reason.startswith("reference_conflict: 'a' belongs to the source s")
    assert desk.balanced()


def test_a_source_that_shares_may_write_what_belongs_to_another(desk: Any) -> None:
    desk.store(desk.record("a", "A"))
    stored = desk.store(desk.record("a", "B"), source="t", shared=True)
    assert stored.counts["changed"] == 1
    assert desk.row("a").owner == "s"
    assert desk.balanced()


def test_records_of_one_source_may_write_the_same_reference(desk: Any) -> None:
    desk.store(desk.record("thread", "A", record="1"))
    assert desk.store(desk.record("thread", "B", record="2")).counts["changed"] == 1


def test_where_strangers_choose_the_keys_it_belongs_to_one_record(desk: Any) -> None:
    desk.store(desk.record("mail-1", "A", record="1"), forgeable_keys=True)
    assert desk.store(desk.record("mail-1", "B", record="2"), forgeable_keys=True).counts["conflict"] == 1
    assert desk.store(desk.record("mail-1", "B", record="1"), forgeable_keys=True).counts["changed"] == 1


def test_two_records_whose_references_differ_in_case_only_are_told_apart_by_nobody(desk: Any) -> None:
    desk.store(desk.record("case-A"))
    stored = desk.store(desk.record("case-a"))
    assert stored.counts["conflict"] == 1
    assert "differ in case" in reasons(desk)[0]


def test_one_record_may_change_how_its_reference_is_written(desk: Any) -> None:
    desk.store(desk.record("Case", record="1"))
    stored = desk.store(desk.record("case", record="1"))
    assert [due.reference for due in stored.due] == ["case"]


def test_a_record_with_one_foreign_reference_is_stored_not_at_all(desk: Any) -> None:
    desk.store(desk.record("a"))
    stored = desk.store(desk.record("b", record="1", more=("a",)), source="t")
    assert stored.counts == {"read": 1, "conflict": 1}
    assert [due.reference for due in desk.due()] == ["a"]


def test_two_activities_of_a_record_cannot_have_one_reference(desk: Any) -> None:
    stored = desk.store(desk.record("a", record="1", more=("A ",)), shared=True)
    assert stored.counts["conflict"] == 1


def test_the_reject_goes_when_the_reference_is_free(desk: Any) -> None:
    desk.store(desk.record("a"))
    desk.store(desk.record("a", "B"), source="t")
    sources.drop(desk.conn, "s", desk.now)
    assert desk.store(desk.record("a", "B"), source="t").counts["changed"] == 1
    assert rejects.list_each(desk.conn) == []
    assert desk.row("a").owner == "t"
    assert desk.balanced()
