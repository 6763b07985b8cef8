"""The state machine: what can happen to cgsync, in any order, and what must hold whatever happened."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from cgsync.errors import SourceMisconfigured, SourceUnavailable
from tests.faults.machine.disk import Fault
from tests.faults.machine.invariants import Invariants
from tests.faults.machine.operators import KEYS, SOURCES, Operators
from tests.faults.machine.origin import PARTS
from tests.faults.machine.receiver import HOLD, KINDS, ON_THE_WIRE, TOKEN_TROUBLES, sorts
from tests.faults.machine.world import World, empty_ledger

ACCOUNTS = st.sampled_from(["A", "B", "C", "BAD"])
WEATHER = st.one_of(st.sampled_from(["ok", HOLD]), *map(st.sampled_from, sorts(KINDS)))
ANSWERS = st.one_of(st.just("ok"), *map(st.sampled_from, sorts(ON_THE_WIRE)))
"""Each sort is as likely as any other, however many kinds there are of it."""
DOUBTFUL = st.sampled_from(
    ["reset, applied soon", "reset, applied late", "timeout, applied late", "504, applied late", "reset, applied"]
)
SECONDS = st.sampled_from([0.5, 3.0, 10.0, 31.0, 121.0])
LONG = st.sampled_from([30.0, 150.0, 901.0, 3601.0, 86_401.0])
FATES = st.sampled_from([None, 0.5, 30.0, 119.0])


class Machine(Invariants, Operators, RuleBasedStateMachine):
    """Two sources with three keys each; one API; one process at a time."""

    places: ClassVar[itertools.count[int]] = itertools.count()
    folder: ClassVar[Path]
    model: ClassVar[Path]
    applied: ClassVar[int] = 0
    examples: ClassVar[int] = 0
    happened: ClassVar[Counter[str]] = Counter()
    world: World

    @classmethod
    def prepare(cls, folder: Path) -> None:
        """Where the ledgers of the examples lie."""
        cls.folder = folder
        cls.model = empty_ledger(folder / "empty")

    @initialize(seed=st.integers(0, 7))
    def begin(self, seed: int) -> None:
        self.world = World(self.folder / f"state-{next(self.places)}", self.model, seed)

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            self.check_the_end()
        finally:
            type(self).applied += len(self.world.api.log)
            type(self).examples += 1
            self.happened.update(self.world.judge.happened)
            self.world.close()

    # Sources.

    @rule(source=SOURCES, key=KEYS, account=ACCOUNTS)
    def edit(self, source: str, key: str, account: str) -> None:
        self._origin(source).edit(key, account)

    @rule(source=SOURCES, key=KEYS, account=ACCOUNTS)
    def edit_and_poll(self, source: str, key: str, account: str) -> None:
        self._put_in(source, key, account)

    @rule(source=SOURCES)
    def poll(self, source: str) -> None:
        self.world.poll(source)

    @rule(source=SOURCES, key=KEYS, kind=st.sampled_from(["invalid", "filtered"]))
    def edit_so_that_it_does_not_pass(self, source: str, key: str, kind: str) -> None:
        self._origin(source).edit(key, "A", kind)

    @rule(source=SOURCES, part=st.sampled_from(PARTS), what=st.sampled_from(["keyless", "unreadable"]))
    def something_without_a_key(self, source: str, part: str, what: str) -> None:
        self._origin(source).add_nobody(part, what)
        self.world.poll(source)

    @rule(key=KEYS, account=ACCOUNTS)
    def a_replica_lags_behind(self, key: str, account: str) -> None:
        """An old revision is read after a newer one, and together with it."""
        origin = self._origin("mail")
        old = origin.table.get(key)
        origin.lag(key)
        self._put_in("mail", key, account)
        if old is not None:
            origin.replica[key] = old[1]
        self.world.poll("mail")

    @rule(source=SOURCES, key=KEYS, first=st.sampled_from("AB"), second=st.sampled_from("CD"), sent=st.booleans())
    def there_and_back(self, source: str, key: str, first: str, second: str, sent: bool) -> None:
        """A→B→A, each read; with ``sent``, what was A has been delivered before."""
        self._put_in(source, key, first)
        if sent:
            self._answer_all("ok")
        self._put_in(source, key, second)
        self._put_in(source, key, first)

    @rule(source=SOURCES, trouble=st.sampled_from(["unavailable", "misconfigured"]))
    def the_source_fails(self, source: str, trouble: str) -> None:
        error = SourceUnavailable("down") if trouble == "unavailable" else SourceMisconfigured("no such folder")
        self._origin(source).troubles.append(error)
        self.world.poll(source)

    @rule()
    def settling_fails(self) -> None:
        self._origin("desk").settle_troubles.append(SourceUnavailable("the archive is full"))

    # The API.

    @rule(kind=WEATHER)
    def the_weather_changes(self, kind: str) -> None:
        self.world.api.mood = kind

    @rule(number=st.integers(0, 3), kind=ANSWERS)
    @precondition(lambda self: self.world.api.open)
    def answer_one(self, number: int, kind: str) -> None:
        api = self.world.api
        api.reply(api.open[number % len(api.open)], kind)
        self.world.drive()

    @rule(kind=ANSWERS)
    @precondition(lambda self: self.world.api.open)
    def answer_all(self, kind: str) -> None:
        self._answer_all(kind)

    @rule(source=SOURCES, key=KEYS, kind=DOUBTFUL, account=st.sampled_from("AB"), wait=SECONDS)
    def edit_while_in_doubt(self, source: str, key: str, kind: str, account: str, wait: float) -> None:
        """A request is abandoned, and something newer is read before it is over."""
        self._open_up()
        self.world.api.script = [kind]
        self._renew(source, key, account)
        self.world.api.script.clear()
        self._renew(source, key, account)
        self.world.drive(wait)

    @rule(source=SOURCES, kinds=st.tuples(ANSWERS, ANSWERS, ANSWERS), account=st.sampled_from(["A", "BAD"]))
    def overtaken_in_flight(self, source: str, kinds: tuple[str, ...], account: str) -> None:
        """Something newer is read while requests are on their way; then each of them is answered."""
        self._open_up()
        self.world.api.mood = HOLD
        self._edit_all(source, account)
        self.world.poll(source)
        self._edit_all(source, "Newer")
        self.world.poll(source)
        for put, kind in zip(list(self.world.api.open), kinds, strict=False):
            self.world.api.reply(put, kind)
        self.world.drive()
        self.world.api.heal()

    @rule(kinds=st.lists(ANSWERS, min_size=3, max_size=5))
    def a_burst(self, kinds: list[str]) -> None:
        """All keys at once, and an API that answers one so and another so."""
        self._open_up()
        self.world.api.script = list(kinds)
        for name in ("desk", "mail"):
            self._edit_all(name, kinds[0])
            self.world.poll(name)

    @rule(kind=st.sampled_from(["403", "404", "301", "418", "certificate", "429, 20 s", "429, huge"]), wait=LONG)
    def closed_then_probed(self, kind: str, wait: float) -> None:
        self.world.api.mood = kind
        self._renew("desk", "a", "A")
        self._renew("mail", "a", "B")
        self.world.api.heal()
        self.world.drive(3.0)
        self.world.suspend(wait)
        self.world.drive(3.0)

    @rule(kinds=st.lists(st.sampled_from(["429, 20 s", "403", "500", "ok", "422"]), min_size=3, max_size=3))
    def answers_cross(self, kinds: list[str]) -> None:
        """Several are in flight, and what their answers say of the others differs."""
        self._open_up()
        self.world.api.mood = HOLD
        for name in ("desk", "mail"):
            self._edit_all(name, kinds[0])
            self.world.poll(name)
        for put, kind in zip(list(self.world.api.open), kinds, strict=False):
            self.world.api.reply(put, kind)
            self.world.drive()
        self.world.api.mood = "ok"
        self.world.drive(8.0)

    @rule(
        first=st.sampled_from(["429", "429, 0 s"]),
        then=st.sampled_from(["429, huge", "429, 20 s", "403"]),
        last=ANSWERS,
    )
    def a_straggler_behind_a_probe(self, first: str, then: str, last: str) -> None:
        """A probe is under way when a request that was sent before it is answered."""
        self._open_up()
        api = self.world.api
        api.mood = HOLD
        for name in ("desk", "mail"):
            self._edit_all(name, then)
            self.world.poll(name)
        if len(api.open) < 2:
            return
        api.reply(api.open[0], first)
        self.world.drive(2.0)
        api.reply(api.open[0], then)
        self.world.drive()
        api.mood = "ok"
        for put in list(api.open):
            api.reply(put, last)
        self.world.drive(8.0)

    @rule()
    def tokens_expire(self) -> None:
        self.world.api.expire()

    @rule()
    def tokens_expire_under_many(self) -> None:
        """All workers find out at once."""
        self.world.api.expire()
        for name in ("desk", "mail"):
            self._edit_all(name, "T")
            self.world.poll(name)

    @rule(source=SOURCES, key=KEYS)
    def asked_to_wait(self, source: str, key: str) -> None:
        """One record is to be sent again, but not before a time."""
        self._open_up()
        self.world.api.script = ["503, 40 s"]
        self._renew(source, key, "W")
        self.world.api.script.clear()
        self.world.drive(10.0)

    @rule(source=SOURCES, key=KEYS, kind=st.sampled_from(["500", "reset", "425"]))
    def one_bad_record(self, source: str, key: str, kind: str) -> None:
        """The API fails over that one again and again, and over no other."""
        self._open_up()
        self.world.drive(1.0)
        self.world.api.script = [kind] * 7
        self._renew(source, key, "X")
        self.world.drive(121.0)
        self.world.api.script.clear()

    @rule()
    def a_late_401(self) -> None:
        """One finds out that its token expired when the others have another one already."""
        api = self.world.api
        api.mood = HOLD
        self._edit_all("desk", "L")
        self.world.poll("desk")
        api.expire()
        for put in list(api.open):
            api.reply(put, "ok")
            self.world.drive()
        api.heal()
        self._answer_all("ok")

    @rule(mood=st.sampled_from(["ok", *TOKEN_TROUBLES]))
    def the_token_endpoint_changes(self, mood: str) -> None:
        self.world.api.token_mood = mood
        self.world.api.expire()
        self._renew("desk", "a", "A")

    # Time.

    @rule(seconds=SECONDS)
    def time_passes(self, seconds: float) -> None:
        self.world.drive(seconds)

    @rule(seconds=LONG)
    def the_machine_sleeps(self, seconds: float) -> None:
        self.world.suspend(seconds)

    @rule(seconds=st.sampled_from([-1e7, -3600.0, 3600.0, 1e7]))
    def the_wall_clock_is_set(self, seconds: float) -> None:
        self.world.clock.step(seconds)

    # The process.

    @rule()
    def restart(self) -> None:
        self.world.stop()
        self.world.start()

    @rule(late=FATES, wait=st.sampled_from([0.0, 5.0, 125.0]))
    def killed(self, late: float | None, wait: float) -> None:
        self.world.late = late
        self.world.kill()
        self.world.loop.jump(wait)
        self.world.start()

    @rule(source=SOURCES, late=st.sampled_from([0.5, 30.0, 110.0]), healthy=st.booleans())
    def killed_in_flight_then_edited(self, source: str, late: float, healthy: bool) -> None:
        """What was on its way is executed when something newer could have been."""
        self._open_up()
        self.world.api.mood = HOLD
        self._edit_all(source, "Dead")
        self.world.poll(source)
        self.world.late = late
        self.world.kill()
        if healthy:
            self.world.api.heal()
        self.world.start()
        self._edit_all(source, "Alive")
        self.world.poll(source)
        self.world.drive(late)

    @rule(clean=st.booleans(), seconds=st.sampled_from([20.0, 300.0]), late=FATES)
    def rebooted(self, clean: bool, seconds: float, late: float | None) -> None:
        self.world.late = late
        if clean:
            self.world.stop()
        else:
            self.world.kill()
        self.world.reboot(seconds)
        self.world.start()

    @rule(source=SOURCES, key=KEYS)
    def rebooted_while_in_doubt(self, source: str, key: str) -> None:
        """The time for which a newer version had to wait was reckoned by a clock that starts over."""
        self.edit_while_in_doubt(source, key, "reset, applied late", "A", 3.0)
        self.rebooted(True, 20.0, None)
        self.world.drive(60.0)

    @rule(
        fault=st.sampled_from(
            [Fault.DIES_BEFORE, Fault.DIES_AFTER, Fault.UNKNOWN_KEPT, Fault.UNKNOWN_LOST, Fault.REFUSED]
        )
    )
    def the_next_commit_goes_wrong(self, fault: Fault) -> None:
        self.world.disk.fault = fault

    @rule(fault=st.sampled_from([Fault.UNKNOWN_KEPT, Fault.UNKNOWN_LOST, Fault.REFUSED]))
    def an_outcome_cannot_be_stored(self, fault: Fault) -> None:
        """The disk fails just when an answer comes; then there is something else to send."""
        self._open_up()
        self.world.api.script = [HOLD]
        self._renew("desk", "a", "A")
        self.world.api.script.clear()
        self.world.disk.fault = fault
        self._answer_all("ok")
        self.world.disk.fault = Fault.NONE
        self._renew("mail", "a", "A")
        self._renew("mail", "b", "A")

    @rule(fault=st.sampled_from([Fault.NONE, Fault.REFUSED, Fault.UNKNOWN_LOST]))
    def stopped_with_requests_in_flight(self, fault: Fault) -> None:
        """They are waited for; their outcomes may not get onto the disk."""
        self.world.disk.fault = fault
        self.world.stop()
        self.world.disk.fault = Fault.NONE
        self.world.start()

    @rule(stalled=st.booleans())
    def the_disk_stalls(self, stalled: bool) -> None:
        self.world.stall(stalled)
