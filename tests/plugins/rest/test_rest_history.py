"""Whatever happens at the API and to us, in whatever order: in the end the receiver holds what the API holds.

Through the real intake and the real ledger; what the ledger offers to the sender is what would be sent.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cgsync_rest import cgsync_source_types
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cgsync.api import SourceUnavailable
from cgsync.http import open_http
from cgsync.ledger import Instant, books, outbox
from cgsync.model import Delivered, Result, Stored
from cgsync.testing import FakeClock, MemoryLog, as_opened, context
from cgsync.testing.driving import Driver
from tests.plugins.rest.desk import START, Desk, Fault, open_desk
from tests.rig import Rig, rig

ACTIVITY: Mapping[str, Any] = {
    "reference": "t-{{ record.id }}",
    "account": "{{ record.account }}",
    "type": "Ticket",
    "source": "Desk",
    "happened_at": "2026-03-04 10:00:00",
}
LOOKBACK = timedelta(minutes=10)
STAMP = {"field": "updated_at", "param": "since", "lookback": "10m"}
TOKEN = {"cursor": {"path": "$.token", "param": "cursor"}}


@dataclass(frozen=True, slots=True)
class Way:
    """How a source is read. ``stable``: its pages stay what they are while the list changes."""

    paging: str
    order: str
    paginate: Mapping[str, Any]
    incremental: Mapping[str, Any]
    stable: bool


WAYS = {
    "pages, sorted": Way("page", "asc", {"page": {}}, {**STAMP, "order": "asc"}, stable=False),
    "pages, newest first": Way(
        "page", "desc", {"page": {}}, {**STAMP, "order": "desc", "stop_at_seen": True}, stable=False
    ),
    "offsets, unsorted": Way("offset", "none", {"offset": {"limit": 2}}, STAMP, stable=False),
    "tokens, sorted": Way("cursor", "asc", TOKEN, {**STAMP, "order": "asc"}, stable=True),
    "tokens, unsorted": Way("cursor", "none", TOKEN, STAMP, stable=True),
    "tokens, newest first": Way("cursor", "desc", TOKEN, {**STAMP, "order": "desc"}, stable=True),
    "links, all each time": Way("link_header", "none", {"link_header": {}}, {}, stable=True),
    "keys": Way("keyset", "none", {"keyset": {"field": "id", "param": "after_id"}}, STAMP, stable=True),
    "windows": Way(
        "page",
        "asc",
        {"page": {}},
        {**STAMP, "end_param": "until", "start": "2024-05-01", "window": {"step": "2m"}},
        stable=False,
    ),
}
NUMBERS = st.integers(0, 11)
EVENTS = st.one_of(
    st.tuples(st.just("put"), NUMBERS),
    st.tuples(st.just("put"), NUMBERS),
    st.tuples(st.just("late"), NUMBERS),
    st.tuples(st.just("pass"), st.sampled_from([0.4, 1.0, 70.0, 3000.0])),
    st.tuples(st.just("poll"), st.just(99)),
    st.tuples(st.just("poll"), st.integers(0, 3)),
    st.tuples(st.just("fail"), st.integers(1, 5)),
    st.tuples(st.just("expire"), st.just(0)),
    st.tuples(st.just("meanwhile"), st.tuples(st.integers(1, 4), NUMBERS)),
)


class History:
    """An API, a ledger, and what happens to both."""

    def __init__(self, way: Way, desk: Desk, rig: Rig, driver: Driver) -> None:
        self.way, self.desk, self.rig, self.driver = way, desk, rig, driver
        self.sent: dict[str, bytes] = {}

    def put(self, number: int) -> None:
        self.desk.put(number, account=f"Account {self.desk.sequence}")

    def late(self, number: int) -> None:
        """One that is new, but stamped some minutes ago."""
        if number not in self.desk.tickets:
            at = max(self.desk.clock.now() - LOOKBACK * 0.8, START)
            self.desk.put(number, account=f"Account {self.desk.sequence}", updated_at=at.isoformat())

    def fail(self, page: int) -> None:
        self.desk.faults.append(Fault(what="error_500", page=self.desk.asked + page))

    def expire(self, _: int) -> None:
        self.desk.generation += 1

    def meanwhile(self, what: tuple[int, int]) -> None:
        """A ticket that changes while the pages are being read; lists that shift are read between two changes."""
        if self.way.stable:
            page, number = what
            self.desk.meanwhile.append((self.desk.asked + page, partial(self.put, number)))

    async def poll(self, batches: int) -> None:
        """Drain the source; the process dies after so many batches."""
        left = [batches]

        async def died(_: Stored) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise SourceUnavailable("killed")

        try:
            async with self.driver.open() as source:
                await self.rig.intake().drain(source, after=died)
        except SourceUnavailable:
            pass
        while await self.deliver():
            pass

    async def deliver(self) -> bool:
        """What is due is sent, and taken; nothing twice in a row. Ten minutes later, so that no request is in doubt."""
        clock, ledger = self.rig.clock, self.rig.ledger
        clock.time, clock.wall = clock.time + 600, clock.wall + timedelta(seconds=600)
        due = await ledger.read(partial(outbox.due, now=Instant.of(clock), limit=100))
        for each in due:
            assert self.sent.get(each.reference) != each.body, "sent again, although nothing changed"
            self.sent[each.reference] = each.body
        results = [Result(due=each, outcome=Delivered(status=200)) for each in due]
        settle = partial(outbox.settle, results=results, now=Instant.of(clock), settle_time=timedelta(seconds=120))
        await ledger.write(settle)
        return bool(due)

    async def settle(self) -> None:
        """Peace: no more faults, and two polls with some time between."""
        self.desk.faults.clear()
        self.desk.meanwhile.clear()
        for _ in range(3):
            self.desk.clock.advance(timedelta(seconds=2))
            await self.poll(99)

    def holds(self) -> dict[str, str]:
        return {reference: msgspec.json.decode(body)["account"] for reference, body in self.sent.items()}


async def live(way: Way, events: Sequence[tuple[str, Any]], folder: Path, authority: Path) -> None:
    clock = FakeClock(START)
    desk = Desk(clock=clock, paging=way.paging, order=way.order, size=2)
    kind = cgsync_source_types()[0]
    async with open_desk(lambda: desk), rig(folder, activity=ACTIVITY) as made:
        incremental = {"incremental": way.incremental} if way.incremental else {}
        given: dict[str, Any] = {"url": desk.url, "records": "$.tickets[*]", "key": "id", "paginate": way.paginate}
        given |= {
            **incremental,
            "errors": [{"status": 410, "do": "reset"}],
            "rate_limit": "100/s",
            "tls": {"ca": str(authority)},
        }
        lent = context(clock=clock, log=MemoryLog(), http=partial(open_http, clock=clock))
        history = History(way, desk, made, Driver(kind=kind, options=as_opened(kind, given), context=lent))
        for name, what in events:
            if name == "pass":
                clock.advance(timedelta(seconds=what))
            elif name == "poll":
                await history.poll(what)
            else:
                getattr(history, name)(what)
        await history.settle()
        assert history.holds() == {f"t-{number}": row["account"] for number, row in desk.tickets.items()}
        assert (await made.ledger.read(books.audit)).ok


@pytest.mark.parametrize("name", WAYS)
@settings(max_examples=8, suppress_health_check=list(HealthCheck))
@given(events=st.lists(EVENTS, max_size=24))
async def test_the_receiver_ends_equal_to_the_api(name: str, authority: Path, events: list[tuple[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        await live(WAYS[name], events, Path(folder), authority)
