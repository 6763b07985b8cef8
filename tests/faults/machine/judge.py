"""The judge: watches what is committed, sent, answered and applied, and writes down whatever breaks the promise.

It believes the API's log, the source's own table, and the rows of the file as another connection sees them; never what
the product says of itself.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cgsync.api import Cursor, Window
from cgsync.ledger import key as normalise
from tests.faults.machine.dealings import Dealings
from tests.faults.machine.orders import Orders
from tests.faults.machine.origin import LOG, Origin
from tests.faults.machine.receiver import Applied, Put, Reply, account_of
from tests.faults.machine.rows import ROWS, Row, advance
from tests.faults.machine.storing import Storing

SETTLE_TIME = 120.0
PROBE_GAP = 900.0
PAUSE = "a pause"
LONGEST_BACKOFF = 900.0
LONGEST_ASKED = 3600.0
DAY = 86_400.0
SAME_INSTANT = 0.001
"""Seconds in which an answer reaches whoever is just about to send."""
IN_A_ROW, BREADTH = 5, 3
REFUSED_IN_A_ROW = 20
EPOCH = "SELECT shift, unclean_from, unclean_until FROM epoch"


class Judge:
    """Verdicts, by the name of the invariant."""

    def __init__(self, file: Path, origins: Sequence[Origin], time: Callable[[], float]) -> None:
        self._link = sqlite3.connect(f"file:{file}?mode=ro", uri=True, isolation_level=None)
        self._time = time
        self.verdicts: dict[str, str] = {}
        self.rows: dict[str, Row] = {}
        self._seen = 0
        self.versions: dict[str, list[tuple[int, bytes]]] = defaultdict(list)
        """key → every version that was ever durable"""
        self.shown: dict[str, bytes] = {}
        """reference → what the API shows for it now"""
        self._sent: dict[str, int] = {}
        self._applied: dict[str, int] = {}
        self.failed: Counter[tuple[str, bytes]] = Counter()
        """counted failures of a version"""
        self.refusals: Counter[tuple[str, bytes]] = Counter()
        self.dealings: dict[object, Dealings] = defaultdict(Dealings)
        self.open: list[Put] = []
        self.doubts: dict[str, float] = {}
        """reference → when a request for it was last abandoned"""
        self.longest_asked = 0.0
        self.writes_failed: set[object] = set()
        self.happened: Counter[str] = Counter()
        self.orders = Orders()
        self.storing = Storing(self._link, origins, self.orders, self.violated, self.happened)

    def close(self) -> None:
        self._link.close()

    def violated(self, name: str, words: str) -> None:
        self.verdicts.setdefault(name, f"{name} at {self._time():.3f}: {words}")

    # What is in the file.

    def observe(self) -> None:
        """Look at the file as it is now, if somebody else wrote into it since."""
        ((seen,),) = self.query("PRAGMA data_version")
        if seen == self._seen:
            return
        self._seen = seen
        before, self.rows = self.rows, {row[0]: Row(*row) for row in self._link.execute(ROWS)}
        for row in self.rows.values():
            known = self.versions[row.key]
            if not known or known[-1][0] != row.version:
                known.append((row.version, row.body))
        self.storing.observe(before, self.rows)

    def check_rows(self, now: float) -> None:
        """What must hold of the rows at any time. ``now`` is boot time."""
        ((shift, *_),) = self._link.execute(EPOCH)
        for row in self.rows.values():
            version = (row.reference, row.body)
            if row.state == "delivered":
                self._check_delivered(row)
            if row.state == "refused" and not self.refusals[version] and self.failed[version] < 12:
                self.violated("RefusedIsEarned", f"{row.reference} v{row.version} is refused, nobody refused it")
            if row.attempts > self.failed[version]:
                self.violated(
                    "PauseBurnsNothing", f"{row.reference}: {row.attempts} attempts, {self.failed[version]} failed"
                )
            self._check_due(row, now + shift)

    def _check_delivered(self, row: Row) -> None:
        if row.delivered_version != row.version:
            self.violated(
                "MarkIsCompareAndSet", f"{row.reference} v{row.version} is marked, v{row.delivered_version} was sent"
            )
        shown = self.shown.get(row.reference)
        if shown != row.body:
            self.violated(
                "DeliveredMeansDelivered",
                f"{row.reference} is delivered as {account_of(row.body)}, the API shows {shown and account_of(shown)}",
            )

    def _check_due(self, row: Row, now: float) -> None:
        if row.due is None:
            return
        longest = DAY if row.state == "refused" else max(LONGEST_BACKOFF, SETTLE_TIME, self.longest_asked)
        if row.due - now > longest + 1:
            self.violated("BackoffBounded", f"{row.reference} {row.state} waits {row.due - now:.0f} s")

    # What goes over the wire.

    def sent(self, put: Put) -> None:
        """The first byte of a request left."""
        self.observe()
        if not self._check_reference(put):
            return
        dealings, now = self.dealings[put.owner], self._time()
        if any(other.reference == put.reference and other.owner is put.owner for other in self.open):
            self.violated("OneInFlight", f"{put.reference} twice")
        self.open.append(put)
        if dealings.closed_from < now < dealings.closed_until - 1e-6:
            words = (
                f"{put.reference} was sent {dealings.closed_until - now:.1f} s too early after {dealings.closed_for}"
            )
            self.violated("GateHolds", words)
        if now < dealings.asked.get((put.reference, put.body), 0.0) - 1e-6:
            self.violated("BackoffBounded", f"{put.reference} was asked to wait longer")
        self._check_orders(put)
        if put.owner in self.writes_failed:
            self.violated("NoWriteNoSend", f"{put.reference} was sent after a write failed")

    def _check_orders(self, put: Put) -> None:
        row = self.rows.get(normalise(put.reference))
        if row is not None and row.state == "held" and not self.orders.holding:
            self.violated("GateHolds", f"{put.reference} was sent while it was held")
        if self.orders.sending_rests:
            self.violated("PauseHolds", f"{put.reference} was sent while sending was paused")
        if self.orders.forbidden(put.reference):
            self.violated("ForgottenStaysSo", f"{put.reference} was sent after it was forgotten")

    def _check_reference(self, put: Put) -> bool:
        if not put.reference or put.account == "Ghost":
            self.violated("NoReferenceNoPut", f"sent: {put.body!r}")
            return False
        known = self.versions[normalise(put.reference)]
        if all(body != put.body for _, body in known):
            self.violated("SendAfterDurable", f"{put.reference} was sent as {put.account}, which is not in the ledger")
        elif not advance(self._sent, put.reference, put.body, known):
            self.violated("RetryNeverRegresses", f"{put.reference} was sent as {put.account} again")
        return bool(known)

    def applied(self, line: Applied) -> None:
        """The API executed a request."""
        self.shown[line.reference] = line.body
        if not advance(self._applied, line.reference, line.body, self.versions[normalise(line.reference)]):
            words = f"{line.reference} became {account_of(line.body)} after a newer version"
            self.violated("OrderPerReference", words)

    def answered(self, put: Put, reply: Reply) -> None:
        """The API answered; what follows from that for all later requests of that process?"""
        if put not in self.open:
            return
        self.open.remove(put)
        self._consider(self.dealings[put.owner], put, reply)
        self.longest_asked = max(self.longest_asked, min(reply.after or 0.0, LONGEST_ASKED))

    def _consider(self, dealings: Dealings, put: Put, reply: Reply) -> None:
        match reply.effect:
            case "fail":
                self._failed(dealings, put, reply)
            case "refuse" | "pass":
                self._judged(dealings, put, refused=reply.effect == "refuse")
            case "throttle" if reply.after is None:
                dealings.closed = True
            case "throttle":
                self._close(dealings, self._time() + (reply.after or 0.0), f"a 429 that asked for {reply.after} s")
            case "pause" if reply.status == 401:  # one alone closes nothing: its token may be old
                dealings.condemned.add(put.token)
                dealings.closed = True
            case "pause" if put.at >= dealings.closed_until or not dealings.closed_for.startswith(PAUSE):
                self._close(dealings, self._time() + PROBE_GAP, f"{PAUSE} for {reply.status or 'the certificate'}")
            case "pause":
                pass  # it was in flight when the pause began, and says the same again

    def _failed(self, dealings: Dealings, put: Put, reply: Reply) -> None:
        self.failed[put.reference, put.body] += 1
        self._fail(dealings, put.reference)
        self.doubts[put.reference] = self._time()
        if reply.after:
            dealings.asked[put.reference, put.body] = self._time() + reply.after

    def _judged(self, dealings: Dealings, put: Put, *, refused: bool) -> None:
        """The API did its work, whatever it thought of the record: what was tried by that is open."""
        self.refusals[put.reference, put.body] += refused
        dealings.refused += refused
        dealings.failures.clear()
        if put.at >= dealings.closed_until:
            dealings.closed_until = 0.0

    def spared(self, owner: object, reference: str) -> None:
        """A request failed before its first byte."""
        self._fail(self.dealings[owner], reference)

    def _fail(self, dealings: Dealings, reference: str) -> None:
        dealings.failures.append(reference)
        dealings.wide |= len(dealings.failures) >= IN_A_ROW and len(set(dealings.failures)) >= BREADTH

    def _close(self, dealings: Dealings, until: float, why: str) -> None:
        dealings.closed = True
        if until > dealings.closed_until:
            dealings.closed_until, dealings.closed_for = until, why
            dealings.closed_from = self._time() + SAME_INSTANT

    def asked_for_token(self, owner: object) -> None:
        """The token endpoint is asked; for a good reason, and by one alone?"""
        dealings = self.dealings[owner]
        if dealings.logging_in:
            self.violated("RefreshOnce", "two refreshes at once")
        if dealings.token and dealings.token not in dealings.condemned and self._time() < dealings.renewable_at:
            self.violated("RefreshOnce", f"{dealings.token} is good, and another one is asked for")
        dealings.logging_in = True

    def answered_token(self, owner: object, token: str | None, life: float) -> None:
        """The token endpoint answered."""
        dealings = self.dealings[owner]
        dealings.logging_in = False
        dealings.closed |= token is None
        if token is not None:
            dealings.token, dealings.renewable_at = token, self._time() + life * 0.9 - 61

    def fetching(self, origin: Origin, cursor: Cursor, window: Window | None) -> None:
        """The source is asked for what comes after that cursor."""
        place = origin.name if window is None else self.storing.catching_up.of(self._link, window).place
        if origin.name in self.orders.paused:
            self.violated("PauseHolds", f"{place} reads from {origin.name}, which is paused")
        if (at := int(str(cursor.get(LOG) or 0))) != self.storing.lies_behind(place):
            self.violated("BackfillApart", f"{place} goes on at {at}, and was at {self.storing.lies_behind(place)}")

    def settling(self, origin: Origin, numbers: Sequence[int]) -> None:
        """The source is told to settle."""
        self.observe()
        early = [number for number in numbers if number not in self.storing.stored[origin.name]]
        if early:
            self.violated("AckAfterDurable", f"{origin.name}: batches {early} were settled before they were stored")

    def gone(self, owner: object) -> None:
        """That process ended: what it knew is forgotten."""
        self.open = [put for put in self.open if put.owner is not owner]

    def operator(self, owner: object) -> None:
        """A human said: try again."""
        self.dealings[owner].closed_until = 0.0
        self.dealings[owner].asked.clear()

    # At rest.

    def undone(self) -> list[Row]:
        """What is neither delivered, nor refused for a reason, nor held."""
        return [row for row in self.rows.values() if row.state == "pending"]

    def check_gate(self, owner: object, word: str, cause: str) -> None:
        """What the sender says of its gate, against what it was answered."""
        dealings = self.dealings[owner]
        if word == "breaker" and not dealings.wide and not dealings.closed:
            self.violated("BreakerNeedsBreadth", f"the breaker opened after {dealings.failures}")
        if cause == "mass_rejection" and dealings.refused < REFUSED_IN_A_ROW:
            self.violated("RefusedBlocksNobody", f"sending is paused after {dealings.refused} refusals")
        if word == "open":
            dealings.closed = False
            dealings.wide = len(dealings.failures) >= IN_A_ROW and len(set(dealings.failures)) >= BREADTH

    def stopped(self, owner: object, now: float) -> None:
        """A process ended: if it says that nothing is in doubt, is that true?"""
        clean = bool(self.query("SELECT 1 FROM meta WHERE name = 'clean_stop'"))
        if not clean:
            return
        if any(put.owner is owner for put in self.open):
            self.violated("CleanStopIsTrue", "a clean stop with a request in flight")
        ((shift, *unclean),) = self.query(EPOCH)
        for name, at in self.doubts.items():
            row = self.rows.get(normalise(name))
            until = at + SETTLE_TIME - self._time() + now + shift
            if row is not None and at + SETTLE_TIME > self._time() and row.in_doubt(*unclean) < until - 1e-3:
                self.violated("CleanStopIsTrue", f"a clean stop, and nobody knows that {name} is in doubt")

    def query(self, statement: str) -> list[Any]:
        return list(self._link.execute(statement))
