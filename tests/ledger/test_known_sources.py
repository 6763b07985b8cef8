"""A source's state hangs on its uid, which survives its name and everything that is edited below it."""

from __future__ import annotations

from typing import Any

import pytest

from cgsync.errors import ControlError
from cgsync.ledger import PluginChanged, books, checkpoints, outbox, rejects, settlements, sources


def register(desk: Any, name: str, plugin: str = "files") -> str:
    return sources.register(desk.conn, name, plugin, desk.now)


def test_the_first_name_is_the_uid_for_ever(desk: Any) -> None:
    assert register(desk, "orders") == "orders"
    sources.rename(desk.conn, "orders", "shop")
    assert register(desk, "shop") == "orders"


def test_a_name_that_became_free_gets_another_uid(desk: Any) -> None:
    """Default references are made of the uid: two sources must not make the same ones."""
    register(desk, "orders")
    sources.rename(desk.conn, "orders", "shop")
    assert register(desk, "orders") == "orders~2"


def test_another_plugin_under_a_name_is_refused_with_the_command_to_run(desk: Any) -> None:
    register(desk, "orders", "files")
    with pytest.raises(PluginChanged, match=r"files so far, now it is rest .*cgsync source drop orders"):
        register(desk, "orders", "rest")
    assert PluginChanged.exit_status == 78


def test_a_name_that_is_in_use_cannot_be_taken(desk: Any) -> None:
    with pytest.raises(ControlError, match="there is a source 't' already"):
        sources.rename(desk.conn, "s", "t")
    with pytest.raises(ControlError, match="nothing is stored of a source 'nobody'"):
        sources.rename(desk.conn, "nobody", "somebody")


def test_what_the_configuration_has_no_more_is_marked_and_keeps_its_state(desk: Any) -> None:
    desk.store(desk.record("a"), cursor={"p": 1})
    sources.retain(desk.conn, {"t"})
    assert {known.name: known.removed for known in sources.list_sources(desk.conn)} == {"s": True, "t": False}
    assert len(desk.due()) == 1
    register(desk, "s")
    assert not any(known.removed for known in sources.list_sources(desk.conn))
    assert checkpoints.load(desk.conn, "s") == {"p": 1}


def test_a_pause_is_remembered(desk: Any) -> None:
    sources.pause(desk.conn, "s")
    assert {known.name: known.paused for known in sources.list_sources(desk.conn)} == {"s": True, "t": False}
    sources.pause(desk.conn, "s", paused=False)
    assert not any(known.paused for known in sources.list_sources(desk.conn))


def test_dropping_gives_up_what_is_undelivered_and_forgets_the_rest(desk: Any) -> None:
    [sent, _] = desk.store(desk.record("a"), desk.record("b"), cursor={"p": 1}, done=["f"]).due
    desk.settle(sent)
    assert sources.drop(desk.conn, "s", desk.now) == 1
    assert sources.uid_of(desk.conn, "s") is None
    assert (checkpoints.load(desk.conn, "s"), settlements.pending(desk.conn, "s")) == ({}, [])
    assert (desk.due(), rejects.list_each(desk.conn)) == ([], [])
    assert books.counters(desk.conn)["s"]["dropped"] == 1
    assert desk.balanced()


def test_a_source_that_comes_back_sends_only_what_was_not_delivered(desk: Any) -> None:
    [sent, _] = desk.store(desk.record("a"), desk.record("b")).due
    desk.settle(sent)
    sources.drop(desk.conn, "s", desk.now)
    register(desk, "s")
    stored = desk.store(desk.record("a"), desk.record("b"))
    assert [due.reference for due in stored.due] == ["b"]
    assert desk.balanced()


def test_an_outcome_that_comes_after_the_drop_changes_nothing(desk: Any) -> None:
    [due] = desk.store(desk.record("a")).due
    sources.drop(desk.conn, "s", desk.now)
    assert desk.settle(due) == []
    assert desk.row("a").state == "dropped"
    assert outbox.next_due(desk.conn, desk.now) is None
    assert desk.balanced()
