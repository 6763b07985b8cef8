"""The books balance at every instant, and no order of events loses or overtakes a version."""

from __future__ import annotations

import itertools
from contextlib import AbstractContextManager, ExitStack
from datetime import timedelta
from functools import partial
from typing import Any

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import insert, update

from cgsync.ledger import books, forgetting, guard, history, key, outbox, rejects, retrials, sources
from cgsync.ledger.basis import Basis
from cgsync.ledger.schema import activity, counter
from cgsync.model import Again, Allowance, Delivered, Paused, Refused, Reject, RejectKind, Result

SETTLE_TIME = 120.0

references = st.sampled_from(["a", "A", "b", "é"])
bodies = st.sampled_from(["A", "B"])
names = st.sampled_from(["s", "t"])
revisions = st.sampled_from([None, None, 1, 2])
outcomes = st.sampled_from(
    [
        Delivered(status=200, data={"id": 1}),
        Delivered(status=200, data={"id": 1}),
        Refused(status=422, reasons={"account": "unknown"}),
        Again(reason="status 503"),
        Again(reason="timeout", doubt=True),
        Again(reason="status 429", counted=False),
        Paused(cause="auth", reason="status 401"),
    ]
)


class Books(RuleBasedStateMachine):
    """Any order of what sources, sender, operator and machine do to a ledger with very few references."""

    sent = Bundle("sent")

    def __init__(self, open_desk: Any) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.opened: AbstractContextManager[Any] = open_desk()
        self.doubts: list[tuple[str, int, float]] = []  # key, version, until when it may be executed
        self.passed: set[tuple[str, int]] = set()  # key, version that the receiver took
        self.boots = 0
        self.forgotten: set[str] = set()

    @initialize()
    def begin(self) -> None:
        self.desk = self.stack.enter_context(self.opened)
        self.accounts = itertools.count(1)

    def teardown(self) -> None:
        self.stack.close()

    @property
    def time(self) -> float:
        return float(self.desk.clock.seconds)

    @rule(
        target=sent,
        batch=st.lists(st.tuples(references, bodies, revisions, st.booleans()), max_size=4),
        source=names,
        shared=st.booleans(),
        forgeable=st.booleans(),
        rejected=st.lists(st.sampled_from(["a", "b", "x"]), max_size=2),
        remapped=st.booleans(),
    )
    def store(self, batch: Any, source: str, shared: bool, forgeable: bool, rejected: list[str], remapped: bool) -> Any:
        self.desk.clock.seconds += 0.001
        mapped = [
            self.desk.record(reference, body, revision=revision, record=reference, more=("c",) if two else ())
            for reference, body, revision, two in batch
        ]
        refused = [
            Reject(
                kind=RejectKind.INVALID,
                identity=name,
                position=name,
                record=b"{}",
                reasons={"": "wrong"},
                mapping_version="m1",
            )
            for name in rejected
        ]
        stored = self.desk.store(
            *mapped, source=source, shared=shared, forgeable_keys=forgeable, rejects=refused, remapped=remapped
        )
        assert stored.counts.get("remapped" if remapped else "read", 0) == len(mapped) + len(refused)
        if not {"conflict", "stale", "forgotten_again"} & set(stored.counts):
            wanted = {key(each.reference): each.digest for one in mapped for each in one.activities}
            assert all(self.desk.row(reference).digest == digest for reference, digest in wanted.items())
        return multiple(*stored.due)

    @rule(target=sent, most=st.integers(0, 2), accounts=st.booleans(), start=bodies, source=names)
    def surge(self, most: int, accounts: bool, start: str, source: str) -> Any:
        """A run of two batches that may send, or make new, no more than ``most``; all of it is new or changed."""
        left = Allowance(most_accounts=most) if accounts else Allowance(most_versions=most)
        due: list[Any] = []
        for reference in ("a", "b", "c"):
            self.desk.clock.seconds += 0.001
            account = f"new account {next(self.accounts)}"  # not the time: that begins anew at a reboot
            one = self.desk.record(reference, f"{start} {account}", record=reference, account=account)
            waited = self.state(reference) == "held"
            stored = self.desk.store(one, source=source, shared=True, allowance=left)
            left = stored.allowance
            forgotten = stored.counts.get("forgotten_again", 0)
            assert forgotten or (self.state(reference) == "held") == (waited or bool(left.held))
            due += stored.due
        assert len(due) <= most
        assert not left.held or guard.reason(self.desk.conn, source) == left.held
        return multiple(*due)

    def state(self, reference: str) -> str | None:
        found: str | None = outbox.states(self.desk.conn, [reference]).get(reference)
        return found

    @rule(target=sent)
    def read(self) -> Any:
        return multiple(*self.desk.due())

    @rule(target=sent, due=sent, outcome=outcomes, wait=st.sampled_from([0, 1, 300]))
    def settle(self, due: Any, outcome: Any, wait: int) -> Any:
        """Of anything that was ever handed out, also what is long outdated."""
        if self.must_wait(due):
            return multiple()  # it was handed out, but a sender has one request for a reference at a time
        return multiple(*self.settle_one(due, outcome, wait))

    def settle_one(self, due: Any, outcome: Any, wait: int) -> list[Any]:
        if isinstance(outcome, Delivered):
            self.passed.add((due.key, due.version))
        if isinstance(outcome, Again) and outcome.doubt:
            self.doubts.append((due.key, due.version, self.time + SETTLE_TIME))
        newer: list[Any] = self.desk.settle(due, outcome, retry_in=wait)
        return newer

    @rule(seconds=st.sampled_from([1, 60, 130, 86_400]))
    def wait(self, seconds: int) -> None:
        self.desk.clock.seconds += seconds

    @rule(target=sent, reference=references, outcome=outcomes, first=bodies)
    def overtake(self, reference: str, outcome: Any, first: str) -> Any:
        """A newer version comes while the older one is on the wire; chance alone makes that too seldom."""
        older = self.desk.store(self.desk.record(reference, first, record=reference), shared=True).due
        newer = self.desk.store(self.desk.record(reference, first * 2, record=reference), shared=True).due
        return multiple(*newer, *[due for old in older for due in self.settle_one(old, outcome, 1)])

    @rule(
        operation=st.sampled_from(["hold", "release", "lift", "retry", "give up", "drop", "resend"]),
        reference=references,
    )
    def operate(self, operation: str, reference: str) -> None:
        """What an operator does, seldom."""
        conn, now = self.desk.conn, self.desk.now
        numbers = [line.id for line in rejects.list_each(conn)]
        match operation:
            case "hold":
                outbox.hold(conn, [reference])
            case "release":
                outbox.release(conn, [reference], now)
                guard.lift_where_nothing_is_held(conn)
            case "lift":
                guard.lift(conn)
            case "retry":
                retrials.again(conn, numbers, Basis(judge="", credentials=""), now)
            case "give up":
                rejects.drop(conn, now, "enough of it")
            case "drop":
                sources.drop(conn, "t", now)
                assert sources.register(conn, "t", "imap", now) == "t"
            case "resend":
                outbox.requeue(conn)

    @rule(reference=st.sampled_from(["a", "é"]))
    def forget(self, reference: str) -> None:
        """Nothing of it is there afterwards; what comes of it later is counted and left."""
        conn, now = self.desk.conn, self.desk.now
        who = forgetting.person(conn, reference)
        forgetting.bar(conn, who, now)
        found, _ = forgetting.look(conn, who, 0)
        forgetting.remove(conn, found, now)
        assert self.desk.store(self.desk.record(reference, "A"), shared=True).counts["forgotten_again"] == 1
        assert history.explain(conn, reference, now) is None
        self.forgotten.add(key(reference))

    @rule(clean=st.booleans(), reboot=st.booleans())
    def restart(self, clean: bool, reboot: bool) -> None:
        self.desk.clock.seconds += 0.001
        if not clean:  # whatever was due may have been on the wire
            until = self.time + SETTLE_TIME
            self.doubts += [(due.key, due.version, until) for due in self.desk.due()]
        if reboot:
            self.boots += 1
            elapsed = self.time - 1.0
            self.doubts = [(name, version, until - elapsed) for name, version, until in self.doubts]
            self.desk.clock.seconds = 1.0
        self.desk.restart(clean=clean, boot=f"boot {self.boots}")

    @invariant()
    def all_is_in_order(self) -> None:
        if hasattr(self, "desk"):
            assert self.desk.balanced()
            self.nothing_newer_is_sent_while_something_older_may_be_executed()
            self.only_what_is_pending_or_refused_is_due()
            self.delivered_is_only_what_the_receiver_took()
            self.every_row_that_is_refused_has_its_reject_or_was_given_up()

    def nothing_newer_is_sent_while_something_older_may_be_executed(self) -> None:
        assert not any(self.must_wait(due) for due in self.desk.due())

    def must_wait(self, due: Any) -> bool:
        return any(
            name == due.key and version < due.version and self.time < until - 0.01
            for name, version, until in self.doubts
        )

    def only_what_is_pending_or_refused_is_due(self) -> None:
        assert {self.desk.row(due.reference).state for due in self.desk.due()} <= {"pending", "refused"}

    def delivered_is_only_what_the_receiver_took(self) -> None:
        rows = outbox.list_rows(self.desk.conn, self.desk.now, state="delivered")
        assert {(key(row.reference), row.version) for row in rows} <= self.passed

    def every_row_that_is_refused_has_its_reject_or_was_given_up(self) -> None:
        listed = {line.reference for line in rejects.list_each(self.desk.conn) if line.kind == "refused"}
        refused = outbox.list_rows(self.desk.conn, self.desk.now, state="refused")
        assert listed <= {row.reference for row in refused}
        assert all(row.due_in is None for row in refused if row.reference not in listed)


def test_any_order_of_events_leaves_the_books_balanced(open_desk: Any) -> None:
    run_state_machine_as_test(
        partial(Books, open_desk),  # type: ignore[arg-type]  # whatever makes one will do
        settings=settings(max_examples=20, stateful_step_count=40, database=None, phases=[Phase.generate]),
    )


def test_each_source_and_all_together_are_balanced(desk: Any) -> None:
    [due] = desk.store(desk.record("a")).due
    desk.store(desk.record("b"), source="t")
    desk.settle(due)
    audit = books.audit(desk.conn)
    versions = {each.source: (each.left, each.right) for each in audit.equations if each.name == "versions"}
    assert versions[""][0]["new"] == 2
    assert versions["s"][1]["delivered"] == 1
    assert versions["t"][1]["pending"] == 1
    assert audit.ok


def test_a_row_that_was_tampered_with_is_an_alarm(desk: Any) -> None:
    desk.store(desk.record("a"))
    desk.conn.execute(update(activity).values(state="delivered"))
    audit = books.audit(desk.conn)
    assert not audit.ok
    assert {(each.name, each.difference) for each in audit.differences} == {("versions", 1), ("pending rows", 1)}


def test_a_count_that_is_missing_is_an_alarm(desk: Any) -> None:
    desk.conn.execute(insert(counter).values(source="s", name="read", value=3))
    assert [(each.source, each.name, each.difference) for each in books.audit(desk.conn).differences] == [
        ("", "records", 3),
        ("s", "records", 3),
    ]


def test_a_shared_reference_is_counted_with_the_source_of_each_version(desk: Any) -> None:
    desk.store(desk.record("a", "A"))
    desk.store(desk.record("a", "B"), source="t", shared=True)
    counted = books.counters(desk.conn)
    assert (counted["s"]["superseded"], counted["s"]["pending"]) == (1, 0)
    assert (counted["t"]["changed"], counted["t"]["pending"]) == (1, 1)
    assert desk.balanced()


def test_states_are_counted_from_the_rows(desk: Any) -> None:
    dues = desk.store(desk.record("a"), desk.record("b"), desk.record("c")).due
    outbox.settle(
        desk.conn,
        [
            Result(due=dues[0], outcome=Refused(status=422, reasons={})),
            Result(due=dues[1], outcome=Delivered(status=200)),
        ],
        desk.now,
        timedelta(seconds=120),
    )
    assert books.states(desk.conn) == {"s": {"pending": 1, "refused": 1}}
    assert outbox.pending_count(desk.conn) == 1
