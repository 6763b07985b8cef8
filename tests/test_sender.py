"""The sender: what it sends when, and what it does with the answers. Time is the test's; the wire has its own tests."""

from __future__ import annotations

import asyncio
import itertools
import random
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cgsync.delivery import Admit, Answer, Broken, Kind
from cgsync.errors import LedgerError
from cgsync.http import Pace
from cgsync.model import LANES, Again, Delivered, Due, Lane, Refused, Result
from cgsync.sender import Outbox, Sender
from tests.hand import HandClock

GOOD = Answer(status=200, body=b'{"data": {"id": 1, "reference": "x"}}')
INVALID = Answer(status=422, body=b'{"message": "no", "errors": {"type": ["is required"]}}')
UNKNOWN_CONTACT = Answer(status=422, body=b'{"message": "no", "errors": {"contact": ["is unknown"]}}')
SETTLE_TIME = 120.0


@dataclass
class Row:
    """What the ledger knows of a reference."""

    version: int
    body: bytes
    due: float | None
    source: str = ""
    lane: Lane = Lane.LIVE
    failing: float | None = None
    attempts: int = 0
    doubt: float = 0.0
    state: str = "pending"


@dataclass
class Box:
    """A ledger in memory, with its rules: compare-and-set on the version, and a wait for what is in doubt."""

    clock: HandClock
    rows: dict[str, Row] = field(default_factory=dict)
    settled: list[Result] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)
    failure: Exception | None = None
    commit: float = 0.0
    reading: asyncio.Event | None = None
    """if set, a read that looked at the rows returns once that is set too"""

    def store(self, key: str, *, source: str = "", lane: Lane = Lane.LIVE, **content: Any) -> list[Due]:
        """A record was read; what is to be sent is handed to the sender, also what waits."""
        old = self.rows.get(key)
        version = old.version + 1 if old else 1
        body = msgspec.json.encode({"reference": key, "version": version} | content)
        doubt = old.doubt if old else 0.0
        due = max(self.clock.time, doubt)
        self.rows[key] = Row(version, body, due, source, lane, doubt=doubt)
        return [replace(self._due(key), wait=due - self.clock.time)]

    def _due(self, key: str) -> Due:
        row = self.rows[key]
        return Due(
            key=key,
            reference=key,
            version=row.version,
            body=row.body,
            source=row.source,
            lane=row.lane,
            failing_for=0.0 if row.failing is None else self.clock.time - row.failing,
            attempts=row.attempts,
            refused_before=row.state == "refused",
        )

    async def due(self, limit: int) -> tuple[Sequence[Due], float | None]:
        now = self.clock.time
        waiting = sorted((row.due, key) for key, row in self.rows.items() if row.due is not None)
        rows = sorted((self._due(key) for due, key in waiting if due <= now), key=lambda row: LANES.index(row.lane))
        if self.reading is not None:
            await self.reading.wait()
        return rows[:limit], next((due - now for due, _ in waiting if due > now), None)

    async def settle(self, results: Sequence[Result]) -> Sequence[Due]:
        if self.commit:
            await self.clock.sleep(self.commit)
        if self.failure is not None:
            raise self.failure
        self.groups.append(len(results))
        for result in results:
            self.settled.append(result)
            self._settle(self.rows[result.due.key], result)
        now = self.clock.time
        newer = {r.due.key for r in results if self.rows[r.due.key].version > r.due.version}
        return [self._due(key) for key in newer if (due := self.rows[key].due) is not None and due <= now]

    def _settle(self, row: Row, result: Result) -> None:
        current = row.version == result.due.version
        match result.outcome:
            case Delivered() if current:
                row.state, row.due = "delivered", None
            case Refused() if current:
                row.state, row.due = "refused", self.clock.time + 86_400
            case Again(doubt=doubt, counted=counted):
                if doubt:
                    row.doubt = self.clock.time + SETTLE_TIME
                if current:
                    row.due = self.clock.time + result.retry_in.total_seconds()
                    row.attempts += counted
                    self._note_failure(row, counted=counted)
                elif row.due is not None:
                    row.due = max(row.due, row.doubt)

    def _note_failure(self, row: Row, *, counted: bool) -> None:
        if counted and row.failing is None:
            row.failing = self.clock.time
        if counted and row.lane is Lane.LIVE:
            row.lane = Lane.RETRY

    def states(self) -> Counter[str]:
        return Counter(row.state for row in self.rows.values())


@dataclass
class Put:
    """One PUT that reached the wire."""

    at: float
    reference: str
    version: int
    body: dict[str, Any]
    generation: int


@dataclass
class Api:
    """The other side: a function says what it answers; it notes what arrived, and when two were in flight at once."""

    clock: HandClock
    answer: Callable[[Put], Answer | Broken] = lambda put: GOOD
    latency: float = 0.0
    latencies: list[float] = field(default_factory=list)
    """those of the first few"""
    ready: float = 0.0
    puts: list[Put] = field(default_factory=list)
    in_flight: Counter[str] = field(default_factory=Counter)
    most_in_flight: int = 0
    generation: int = 1
    renewals: int = 0

    async def check(self) -> str:
        return "ok"

    def renew(self, generation: int) -> None:
        if generation == self.generation:
            self.generation += 1
            self.renewals += 1

    async def put(self, body: bytes, admit: Admit) -> Answer:
        content = msgspec.json.decode(body)
        if self.ready:
            await self.clock.sleep(self.ready)
        generation = self.generation
        await admit()
        put = Put(self.clock.time, content["reference"], content["version"], content, generation)
        self.puts.append(put)
        self.in_flight[put.reference] += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight.total())
        assert self.in_flight[put.reference] == 1, "one reference twice in flight"
        try:
            if latency := self.latencies.pop(0) if self.latencies else self.latency:
                await self.clock.sleep(latency)
            answer = self.answer(put)
        finally:
            self.in_flight[put.reference] -= 1
        if isinstance(answer, Broken):
            raise answer
        return replace(answer, generation=generation)


class Lines:
    """A log that is kept."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def debug(self, event: str, **values: Any) -> None:
        self.events.append(event)

    info = warning = error = debug


@dataclass
class Scene:
    """A sender at work between a ledger and an API of our own."""

    clock: HandClock
    box: Box
    api: Api
    sender: Sender
    running: asyncio.Task[None]
    log: Lines

    def store(self, *keys: str, **content: Any) -> None:
        for key in keys:
            self.sender.offer(self.box.store(key, **content))

    def references(self) -> list[str]:
        return [put.reference for put in self.api.puts]


@asynccontextmanager
async def scene(
    *, rate: float = 1e6, concurrency: int = 4, before: Sequence[str] = (), **options: Any
) -> AsyncIterator[Scene]:
    clock, log = HandClock(), Lines()
    box, api = Box(clock), Api(clock)
    for key in before:
        box.store(key)
    outbox: Outbox = box
    sender = Sender(
        outbox,
        api,
        concurrency=concurrency,
        pace=Pace(rate, clock),
        clock=clock,
        random=lambda: 0.999,
        log=log,
        **options,
    )
    running = asyncio.create_task(sender.run())
    await asyncio.sleep(0)
    try:
        yield Scene(clock, box, api, sender, running, log)
    finally:
        sender.stop()
        for _ in range(100):
            await clock.advance(1)
            if running.done():
                break
        await asyncio.wait_for(asyncio.gather(running, return_exceptions=True), 5)


def keys(count: int, prefix: str = "k") -> list[str]:
    return [f"{prefix}{n}" for n in range(count)]


# What is sent


async def test_what_is_offered_is_sent_and_settled() -> None:
    async with scene() as s:
        s.store("a", "b", "c")
        await s.clock.advance(0.01)
        assert sorted(s.references()) == ["a", "b", "c"]
        assert s.box.states() == {"delivered": 3}
        assert s.sender.state().delivered == 3


async def test_what_was_pending_at_the_start_is_sent() -> None:
    async with scene(before=["a", "b"]) as s:
        await s.clock.advance(0.01)
        assert sorted(s.references()) == ["a", "b"]


async def test_what_waits_for_a_doubt_that_only_the_ledger_knows_of_is_sent_as_soon_as_it_is_over() -> None:
    """After a restart the sender did not see the answer that left it."""
    async with scene(before=["a"]) as s:
        await s.clock.advance(5)
        s.box.rows["a"].doubt = s.clock.time + 30
        s.store("a")
        await s.clock.advance(29)
        assert [put.version for put in s.api.puts] == [1]
        await s.clock.advance(1.1)
        assert [put.version for put in s.api.puts] == [1, 2]


async def test_more_than_memory_holds_is_read_from_the_ledger() -> None:
    async with scene(concurrency=8) as s:
        s.store(*keys(5_000))
        assert s.sender.state().waiting <= 2_000
        for _ in range(100):
            await s.clock.advance(1)
        assert s.box.states() == {"delivered": 5_000}
        assert len(s.api.puts) == 5_000


async def test_a_burst_of_edits_costs_one_more_put() -> None:
    async with scene() as s:
        s.api.latency = 1
        for _ in range(5):
            s.store("a")
            await s.clock.advance(0.01)
        await s.clock.advance(10)
        assert [put.version for put in s.api.puts] == [1, 5]
        assert s.box.states() == {"delivered": 1}


async def test_workers_do_not_wait_for_the_disk() -> None:
    """Outcomes gather while a commit runs, and go into the next one together."""
    async with scene(concurrency=2) as s:
        s.box.commit = 1.0
        s.store(*keys(50))
        await s.clock.advance(5)
        assert len(s.api.puts) == 50
        assert len(s.box.groups) <= 3
        assert s.box.states() == {"delivered": 50}


async def test_a_stalled_disk_stops_the_sending() -> None:
    async with scene(concurrency=2) as s:
        s.box.commit = 1_000.0
        s.store(*keys(2_000))
        await s.clock.advance(900)
        assert len(s.api.puts) <= 502
        s.box.commit = 0
        await s.clock.advance(200)
        assert s.box.states() == {"delivered": 2_000}


async def test_an_outcome_that_cannot_be_stored_ends_the_run() -> None:
    """No write, no send."""
    async with scene(before=keys(50), concurrency=2) as s:
        s.box.failure = LedgerError("disk full")
        await s.clock.advance(0.01)
        sent = len(s.api.puts)
        with pytest.raises(LedgerError, match="disk full"):
            await s.running
        s.store("later")
        await s.clock.advance(60)
        assert len(s.api.puts) == sent


async def test_a_bug_in_a_worker_ends_the_run() -> None:
    async with scene() as s:

        def explode(put: Put) -> Answer:
            raise ZeroDivisionError

        s.api.answer = explode
        s.store("a")
        await s.clock.advance(0.01)
        with pytest.raises(ZeroDivisionError):
            await s.running


# The pace


@pytest.mark.parametrize("rate", [5.0, 20.0])
async def test_the_ceiling_is_used_and_never_passed(rate: float) -> None:
    async with scene(rate=rate, concurrency=8) as s:
        s.api.latency = 0.2
        s.store(*keys(1_500))
        await s.clock.advance(60)
        times = [put.at for put in s.api.puts]
        assert max(sum(t <= at < t + 10 for at in times) for t in times) <= rate * 10
        assert len(times) >= 60 * rate * 0.99


async def test_slow_logins_do_not_pile_up_into_a_burst() -> None:
    """The turn is taken when everything else is ready."""
    async with scene(rate=10, concurrency=8) as s:
        s.api.ready = 3.0
        s.store(*keys(100))
        await s.clock.advance(20)
        times = [put.at for put in s.api.puts]
        assert all(later - earlier > 0.05 for earlier, later in itertools.pairwise(times))


# The gate


async def test_a_429_holds_all_workers_until_one_probe_has_passed() -> None:
    async with scene(rate=100, concurrency=8) as s:
        throttled = Answer(status=429, headers={"retry-after": "30"})
        s.api.answer = lambda put: throttled if s.clock.time < 1_030 else GOOD
        s.store(*keys(100))
        await s.clock.advance(29)
        before = len(s.api.puts)
        assert before <= 8
        assert s.sender.state().gate == "throttled"
        assert s.sender.state().pace == 50
        s.api.latency = 5
        await s.clock.advance(4)
        assert len(s.api.puts) == before + 1  # the probe, still in flight
        await s.clock.advance(80)
        assert s.box.states() == {"delivered": 100}
        assert all(row.attempts == 0 for row in s.box.rows.values())


async def test_a_probe_does_not_open_what_was_closed_while_it_was_under_way() -> None:
    """A 429 for an older request asks for a minute; the probe that was sent before it passes."""
    async with scene(concurrency=2) as s:
        asked = {0: "2", 1: "60"}
        s.api.answer = lambda put: (
            GOOD
            if (wait := asked.get(s.api.puts.index(put))) is None
            else Answer(status=429, headers={"retry-after": wait})
        )
        s.api.latencies = [1, 10, 20]
        s.store(*keys(10))
        await s.clock.advance(69)
        assert len(s.api.puts) == 3
        await s.clock.advance(10)
        assert s.box.states() == {"delivered": 10}


async def test_rows_that_waited_for_their_turn_when_the_gate_closed_are_not_sent() -> None:
    async with scene(rate=1, concurrency=8) as s:
        s.api.answer = lambda put: Answer(status=403)
        s.store(*keys(8))
        await s.clock.advance(600)
        assert len(s.api.puts) == 1
        assert s.sender.state().waiting + s.sender.state().in_flight == 8


async def test_limit_headers_slow_it_down() -> None:
    async with scene(rate=100, concurrency=1) as s:
        left = {"x-ratelimit-remaining": "10", "x-ratelimit-reset": "100", "x-ratelimit-limit": "1000"}
        s.api.answer = lambda put: replace(GOOD, headers=left)
        s.store(*keys(50))
        await s.clock.advance(50)
        assert len(s.api.puts) <= 8


# Lanes and sources


async def test_live_rows_go_before_retries_and_those_before_a_backfill() -> None:
    async with scene(rate=10, concurrency=1) as s:
        s.store(*keys(100, "backfill"), lane=Lane.BACKFILL)
        s.store(*keys(20, "retry"), lane=Lane.RETRY)
        await s.clock.advance(1)
        s.store(*keys(10, "live"))
        await s.clock.advance(20)
        sent = [re.sub(r"[0-9]", "", reference) for reference in s.references()]
        first = sent.index("live")
        assert set(sent[first : first + 10]) == {"live"}
        assert sent.index("backfill") > max(n for n, word in enumerate(sent) if word == "retry")


async def test_a_source_with_very_many_rows_does_not_delay_anothers_three() -> None:
    async with scene(rate=100, concurrency=4) as s:
        s.store(*keys(10_000), source="big")
        await s.clock.advance(5)
        s.store("a", "b", "c", source="small")
        before = len(s.api.puts)
        await s.clock.advance(0.15)
        assert {"a", "b", "c"} <= set(s.references()[before:])
        assert len(s.api.puts) - before < 20


async def test_a_retry_that_falls_due_goes_before_a_backfill_that_fills_the_memory() -> None:
    async with scene(rate=100, concurrency=2) as s:
        s.api.answer = lambda put: Answer(status=503) if len(s.api.puts) == 1 else GOOD
        s.store("a")
        await s.clock.advance(0.1)
        s.store(*keys(5_000), lane=Lane.BACKFILL)
        await s.clock.advance(2.1)
        assert s.box.rows["a"].state == "delivered"
        assert s.sender.state().waiting > 1_000


# By hand


async def test_a_halt_stops_all_sending_and_probing_until_it_is_over() -> None:
    async with scene(concurrency=3) as s:
        s.api.latency = 1
        s.store(*keys(20))
        await s.clock.advance(0.5)
        s.sender.halt("operator", "paused by hand", "`cgsync resume --sending`")
        await s.clock.advance(100_000)
        assert s.box.states() == {"delivered": 3, "pending": 17}  # what was on the wire ended
        state = s.sender.state()
        assert (state.gate, state.cause, state.words) == ("halted", "operator", "paused by hand")
        assert state.next_probe is None
        assert state.paused
        s.sender.resume()
        await s.clock.advance(1_000)
        assert len(s.api.puts) == 3
        s.sender.go_on("operator")
        await s.clock.advance(20)
        assert s.box.states() == {"delivered": 20}


async def test_a_halt_over_a_pause_leaves_the_pause() -> None:
    async with scene(concurrency=1) as s:
        s.api.answer = lambda put: Answer(status=403)
        s.store("a", "b")
        await s.clock.advance(1)
        s.sender.halt("disk", "the disk is full", "")
        await s.clock.advance(100_000)
        assert len(s.api.puts) == 1
        s.sender.go_on("disk")
        assert s.sender.state().cause == "forbidden"
        s.api.answer = lambda put: GOOD
        await s.clock.advance(1)
        assert s.box.states() == {"delivered": 2}


async def test_a_row_that_waits_for_its_turn_when_sending_is_halted_is_not_sent() -> None:
    async with scene(rate=1, concurrency=4) as s:
        s.store(*keys(4))
        await s.clock.advance(0.5)
        s.sender.halt("operator", "", "")
        await s.clock.advance(60)
        assert len(s.api.puts) == 1


async def test_idle_returns_when_sending_is_halted() -> None:
    async with scene() as s:
        s.sender.halt("operator", "", "")
        s.store(*keys(10))
        idle = asyncio.create_task(s.sender.idle())
        await s.clock.advance(0.01)
        assert idle.done()


async def test_what_is_withdrawn_from_memory_is_not_sent() -> None:
    async with scene(rate=1, concurrency=2) as s:
        s.store(*keys(10))
        await s.clock.advance(0.1)
        for key in ("k1", "k5"):  # one waits for its turn with a worker, one in the queue
            s.box.rows[key].due = None
        s.sender.withdraw(["k1", "k5"])
        await s.clock.advance(60)
        assert sorted(s.references()) == ["k0", "k2", "k3", "k4", "k6", "k7", "k8", "k9"]


async def test_what_is_withdrawn_while_the_ledger_is_read_is_not_sent() -> None:
    """The read saw it as it was before."""
    async with scene() as s:
        await s.clock.advance(1)
        s.box.store("a")
        s.box.store("b")
        s.box.reading = asyncio.Event()
        s.sender.look()
        await s.clock.advance(0.1)
        s.box.rows["a"].due = None
        s.sender.withdraw(["a"])
        s.box.reading.set()
        await s.clock.advance(10)
        assert s.references() == ["b"]


async def test_what_is_withdrawn_on_the_wire_ends_and_is_settled() -> None:
    async with scene() as s:
        s.api.latency = 5
        s.store("a")
        await s.clock.advance(1)
        s.sender.withdraw(["a"])
        await s.clock.advance(10)
        assert s.box.states() == {"delivered": 1}


# The token


async def test_a_401_is_answered_by_one_refresh_however_many_got_it() -> None:
    async with scene(concurrency=50) as s:
        s.api.latency = 1
        s.api.answer = lambda put: GOOD if put.generation == 2 else Answer(status=401)
        s.store(*keys(50))
        await s.clock.advance(10)
        assert s.api.renewals == 1
        assert s.box.states() == {"delivered": 50}
        assert not any(isinstance(result.outcome, Again) for result in s.box.settled)


async def test_a_401_for_a_fresh_token_pauses() -> None:
    async with scene(concurrency=1) as s:
        s.api.answer = lambda put: Answer(status=401)
        s.store("a", "b")
        await s.clock.advance(60)
        state = s.sender.state()
        assert (state.gate, state.cause) == ("paused", "auth")
        assert "client_secret" in state.hint
        assert [put.generation for put in s.api.puts] == [1, 2]
        assert s.box.states() == {"pending": 2}


# The pause


async def test_a_pause_burns_nothing_probes_each_fifteen_minutes_and_ends_with_the_first_2xx() -> None:
    async with scene(concurrency=4) as s:
        s.api.answer = lambda put: Answer(status=403)
        s.store(*keys(20))
        await s.clock.advance(0.01)
        first = len(s.api.puts)
        assert first <= 4
        await s.clock.advance(14 * 60)
        assert len(s.api.puts) == first
        await s.clock.advance(2 * 60)
        assert len(s.api.puts) == first + 1
        await s.clock.advance(13 * 60)
        assert len(s.api.puts) == first + 1
        await s.clock.advance(2 * 60)
        assert len(s.api.puts) == first + 2
        s.api.answer = lambda put: GOOD
        await s.clock.advance(15 * 60)
        assert s.box.states() == {"delivered": 20}
        assert s.sender.state().gate == "open"
        assert s.log.events.count("sending is paused") == 1
        assert s.log.events.count("sending again") == 1


async def test_a_long_pause_with_much_in_memory_costs_nothing() -> None:
    async with scene(concurrency=1) as s:
        s.api.answer = lambda put: Answer(status=403)
        s.store(*keys(1_500))
        await s.clock.advance(800)
        assert len(s.api.puts) == 1
        assert len(s.clock.naps) < 20


async def test_resume_tries_at_once() -> None:
    async with scene() as s:
        s.api.answer = lambda put: Answer(status=403)
        s.store("a")
        await s.clock.advance(10)
        s.api.answer = lambda put: GOOD
        s.sender.resume()
        await s.clock.advance(0.01)
        assert s.box.states() == {"delivered": 1}


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (Answer(status=302, headers={"location": "https://x.example/"}), "redirect"),
        (Answer(status=404, body=b"<html>"), "not_found"),
        (Answer(status=418), "unexpected"),
        (Broken(Kind.CERTIFICATE, "the certificate is not trusted"), "tls"),
        (Broken(Kind.LOGIN, "invalid_client"), "auth"),
    ],
)
async def test_the_set_ups_fault_pauses(answer: Answer | Broken, cause: str) -> None:
    async with scene(concurrency=1) as s:
        s.api.answer = lambda put: answer
        s.store("a", "b")
        await s.clock.advance(60)
        assert s.sender.state().cause == cause
        assert len(s.api.puts) == 1
        assert s.box.states() == {"pending": 2}


# The record's fault


async def test_a_refused_activity_holds_up_nobody() -> None:
    async with scene(concurrency=1) as s:
        s.api.answer = lambda put: INVALID if put.reference == "bad" else GOOD
        s.store("bad", "a", "b")
        await s.clock.advance(0.01)
        assert s.box.states() == {"refused": 1, "delivered": 2}
        refused = [r.outcome for r in s.box.settled if isinstance(r.outcome, Refused)]
        assert refused == [Refused(status=422, reasons={"type": "is required"})]
        assert s.sender.state().refused == 1


async def test_mass_rejection_brakes() -> None:
    async with scene(concurrency=1) as s:
        s.api.answer = lambda put: INVALID
        s.store(*keys(100))
        await s.clock.advance(60)
        assert s.sender.state().cause == "mass_rejection"
        assert s.box.states() == {"refused": 20, "pending": 80}


async def test_what_is_refused_once_more_a_day_later_does_not_brake() -> None:
    async with scene(concurrency=1) as s:
        s.api.answer = lambda put: INVALID if put.reference.startswith("bad") else GOOD
        for n in range(30):
            s.store(f"bad{n}", f"a{n}", f"b{n}")
        await s.clock.advance(60)
        assert s.box.states()["refused"] == 30
        await s.clock.advance(86_400 * 2)
        assert s.sender.state().gate == "open"
        assert s.sender.state().refused >= 60


async def test_an_unknown_contact_is_refused_by_default() -> None:
    async with scene() as s:
        s.api.answer = lambda put: UNKNOWN_CONTACT if "contact" in put.body else GOOD
        s.store("a", contact="x@example.com")
        await s.clock.advance(0.01)
        assert s.box.states() == {"refused": 1}


async def test_an_unknown_contact_is_dropped_when_told_so() -> None:
    async with scene(unknown_contact="drop") as s:
        s.api.answer = lambda put: UNKNOWN_CONTACT if "contact" in put.body else GOOD
        s.store("a", contact="x@example.com")
        await s.clock.advance(0.01)
        assert ["contact" in put.body for put in s.api.puts] == [True, False]
        assert s.box.states() == {"delivered": 1}


# What passes


async def test_a_passing_failure_is_tried_again_with_growing_waits() -> None:
    async with scene() as s:
        s.api.answer = lambda put: Answer(status=503)
        s.store("a")
        await s.clock.advance(1_000)
        gaps = [b.at - a.at for a, b in zip(s.api.puts, s.api.puts[1:], strict=False)]
        assert gaps == pytest.approx([1, 2, 4, 8, 16, 32, 64, 128, 256], rel=0.05)
        assert s.sender.state().gate == "open"  # one record alone opens no breaker


async def test_the_breaker_opens_over_several_references_and_closes_after_a_probe() -> None:
    async with scene(concurrency=2) as s:
        s.api.answer = lambda put: Answer(status=500)
        s.store(*keys(100))
        await s.clock.advance(0.01)
        assert s.sender.state().gate == "breaker"
        assert len(s.api.puts) <= 6
        await s.clock.advance(300)
        assert len(s.api.puts) <= 14
        s.api.answer = lambda put: GOOD
        await s.clock.advance(400)
        assert s.box.states() == {"delivered": 100}


async def test_a_receiver_that_cannot_be_reached_costs_no_attempt() -> None:
    async with scene(concurrency=2) as s:
        s.api.answer = lambda put: Broken(Kind.REFUSED, "no connection")
        s.store(*keys(10))
        await s.clock.advance(3_600)
        assert len(s.api.puts) < 40
        assert all(row.attempts == 0 for row in s.box.rows.values())
        s.api.answer = lambda put: GOOD
        await s.clock.advance(400)
        assert s.box.states() == {"delivered": 10}


async def test_a_single_row_does_not_hammer_a_receiver_that_cannot_be_reached() -> None:
    async with scene() as s:
        s.api.answer = lambda put: Broken(Kind.REFUSED, "no connection")
        s.store("a")
        await s.clock.advance(3_600)
        assert len(s.api.puts) < 80


async def test_a_newer_version_waits_while_the_older_may_still_be_executed() -> None:
    async with scene() as s:
        s.api.latency = 1
        s.api.answer = lambda put: Broken(Kind.TIMEOUT, "no answer", sent=True) if put.version == 1 else GOOD
        s.store("a")
        await s.clock.advance(0.01)
        s.store("a")
        await s.clock.advance(200)
        first, second = s.api.puts
        assert second.version == 2
        assert second.at - first.at >= SETTLE_TIME


@pytest.mark.parametrize("failure", [Answer(status=500), Answer(status=200, body=b"<html>")])
async def test_the_record_that_always_fails_is_given_up_while_others_pass(failure: Answer) -> None:
    async with scene() as s:
        s.api.answer = lambda put: failure if put.reference == "poison" else GOOD
        s.store("poison")
        for n in range(60):
            s.store(f"other{n}")
            await s.clock.advance(600)
        assert s.box.rows["poison"].state == "refused"
        assert s.box.states()["delivered"] == 60
        assert Counter(s.references())["poison"] > 12


async def test_a_record_whose_answers_never_come_is_not_given_up() -> None:
    """The network may be to blame: only what was answered says something of the record."""
    async with scene() as s:
        s.api.answer = lambda put: Broken(Kind.RESET, "cut", sent=True) if put.reference == "cut" else GOOD
        s.store("cut")
        for n in range(60):
            s.store(f"other{n}")
            await s.clock.advance(600)
        assert s.box.rows["cut"].state == "pending"
        assert s.box.rows["cut"].attempts > 12


async def test_the_pace_comes_back_in_steps_after_a_429() -> None:
    async with scene(rate=100, concurrency=8) as s:
        s.api.answer = lambda put: Answer(status=429, headers={"retry-after": "1"}) if len(s.api.puts) == 1 else GOOD
        s.store(*keys(10_000))
        paces = []
        for _ in range(7):
            await s.clock.advance(10.5)
            paces.append(round(s.sender.state().pace))
        assert paces == sorted(paces)
        assert paces[0] == 60
        assert paces[-1] == 100
        assert all(later - earlier <= 20 for earlier, later in itertools.pairwise(paces))


# The end


async def test_stop_waits_for_what_is_on_the_wire_and_settles_it() -> None:
    async with scene(concurrency=3) as s:
        s.api.latency = 10
        s.store(*keys(10))
        await s.clock.advance(0.01)
        s.sender.stop()
        await s.clock.advance(9)
        assert not s.running.done()
        await s.clock.advance(2)
        assert s.running.done()
        assert len(s.api.puts) == 3
        assert s.box.states() == {"delivered": 3, "pending": 7}


@pytest.mark.parametrize("wait", ["pace", "login", "gate", "rows"])
async def test_stop_does_not_wait_for_anything_else(wait: str) -> None:
    async with scene(rate=0.001 if wait == "pace" else 1e6) as s:
        s.api.ready = 1_000 if wait == "login" else 0
        if wait == "gate":
            s.api.answer = lambda put: Answer(status=403)
        if wait != "rows":
            s.store(*keys(5))
        await s.clock.advance(0.01)
        s.sender.stop()
        await s.clock.advance(0.01)
        assert s.running.done()


async def test_idle_returns_when_everything_is_delivered() -> None:
    async with scene(rate=10) as s:
        s.store(*keys(50))
        idle = asyncio.create_task(s.sender.idle())
        await s.clock.advance(4)
        assert not idle.done()
        await s.clock.advance(2)
        assert idle.done()
        assert s.box.states() == {"delivered": 50}


async def test_idle_returns_at_once_when_there_is_nothing() -> None:
    async with scene() as s:
        idle = asyncio.create_task(s.sender.idle())
        await s.clock.advance(0.01)
        assert idle.done()


async def test_idle_waits_for_a_retry_within_a_minute_and_for_no_later_one() -> None:
    async with scene() as s:
        s.api.answer = lambda put: Answer(status=503)
        s.store("a")
        idle = asyncio.create_task(s.sender.idle())
        await s.clock.advance(50)
        assert not idle.done()
        await s.clock.advance(20)
        assert idle.done()


async def test_idle_returns_when_the_sender_is_paused() -> None:
    async with scene() as s:
        s.api.answer = lambda put: Answer(status=403)
        s.store(*keys(10))
        idle = asyncio.create_task(s.sender.idle())
        await s.clock.advance(0.01)
        assert idle.done()


async def test_idle_gives_up_on_a_receiver_that_stays_down() -> None:
    async with scene() as s:
        s.api.answer = lambda put: Broken(Kind.REFUSED, "no connection")
        s.store(*keys(200))
        idle = asyncio.create_task(s.sender.idle())
        await s.clock.advance(300)
        assert idle.done()


async def test_idle_returns_when_the_run_ends() -> None:
    async with scene() as s:
        s.api.latency = 5
        s.store("a")
        idle = asyncio.create_task(s.sender.idle())
        await s.clock.advance(0.01)
        s.sender.stop()
        await s.clock.advance(10)
        assert idle.done()


# Whatever happens

ANSWERS: list[Answer | Broken] = [
    GOOD,
    GOOD,
    GOOD,
    INVALID,
    Answer(status=429, headers={"retry-after": "2"}),
    Answer(status=500),
    Answer(status=401),
    Answer(status=403),
    Answer(status=200, body=b"<html>"),
    Broken(Kind.TIMEOUT, "no answer", sent=True),
    Broken(Kind.RESET, "cut", sent=True),
    Broken(Kind.REFUSED, "no connection"),
]


@settings(max_examples=12)
@given(seed=st.integers(0, 2**32), concurrency=st.integers(1, 6))
def test_whatever_is_answered_order_holds_and_everything_arrives_in_the_end(seed: int, concurrency: int) -> None:
    """Few references, many versions, any answers: one in flight (the API asserts it), no version after a newer one."""
    asyncio.run(_storm(random.Random(seed), concurrency))


async def _storm(chance: random.Random, concurrency: int) -> None:
    async with scene(rate=50, concurrency=concurrency) as s:
        applied: dict[str, int] = {}

        def answer(put: Put) -> Answer | Broken:
            reply = chance.choice(ANSWERS) if s.clock.time < 1_300 else GOOD
            if reply is GOOD or (isinstance(reply, Broken) and reply.sent and chance.random() < 0.5):
                assert put.version >= applied.get(put.reference, 0), "an older version was applied after a newer"
                applied[put.reference] = put.version
            return reply

        s.api.answer = answer
        for _ in range(150):
            s.api.latency = chance.choice([0, 0.1, 3])
            s.store(chance.choice("abcdef"))
            await s.clock.advance(chance.choice([0, 0.1, 5]))
        s.clock.time = max(s.clock.time, 1_300)
        for _ in range(10):
            s.sender.resume()
            await s.clock.advance(3_600)
        await s.clock.advance(90_000)
        assert s.box.states() == {"delivered": len(s.box.rows)}
        assert applied == {key: row.version for key, row in s.box.rows.items()}
