"""What the sources handed out and how far that is durable: what must stand in the file for it, and what must not."""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from cgsync.ledger import key as normalise
from tests.faults.machine.catching_up import Backfill, CatchingUp, cursors, overtaken
from tests.faults.machine.orders import Orders
from tests.faults.machine.origin import Item, Origin, Run, Served, fold
from tests.faults.machine.receiver import account_of
from tests.faults.machine.rows import Row, reference

REJECTS = "SELECT source, identity FROM reject WHERE key = ''"
GUARDS = "SELECT uid FROM source WHERE guard IS NOT NULL"
READ = "SELECT source, value FROM counter WHERE name = 'read'"


class Storing:
    """Looks at the file after every commit. ``happened`` counts what is worth knowing that it was reached."""

    def __init__(
        self,
        link: sqlite3.Connection,
        origins: Sequence[Origin],
        orders: Orders,
        violated: Callable[[str, str], None],
        happened: Counter[str],
    ) -> None:
        self._link = link
        self._origins = {origin.name: origin for origin in origins}
        self._orders = orders
        self._violated = violated
        self._happened = happened
        self.catching_up = CatchingUp()
        self.wanted: dict[str, dict[str, Item]] = {name: {} for name in self._origins}
        self.stored: dict[str, list[int]] = defaultdict(list)
        """source or backfill → the numbers of its durable batches, in order"""
        self._rejected: dict[str, dict[str, Item | None]] = {name: {} for name in self._origins}
        """source → what must have a reject; ``None``: something without a key"""
        self._mendable: dict[str, set[str]] = {name: set() for name in self._origins}
        """source → what was rejected by a mapping that was replaced by a better one"""
        self._polled: dict[str, dict[str, int]] = {name: {} for name in self._origins}
        """source → key → the last durable batch of a poll that held it"""
        self._read: Counter[str] = Counter()
        self._accounts: set[str] = set()
        self._guarded: set[str] = set()
        self._named: dict[str, set[str]] = {}
        """source → accounts that the last commit brought; of two that bring the same, the first is not to be seen"""

    def observe(self, before: Mapping[str, Row], rows: Mapping[str, Row]) -> None:
        """The file holds these rows now."""
        news = [row for key, row in rows.items() if key not in before or before[key].version != row.version]
        self._named = {name: accounts(row for row in news if row.source == name) for name in self._origins}
        guarded = {uid for (uid,) in self._link.execute(GUARDS)}
        at, backfills = cursors(self._link), self.catching_up.all(self._link)
        for name, origin in self._origins.items():
            for batch in self._follow(origin, name, at.get(name, 0)):
                self._polled_now(origin, batch, [row for row in news if row.source == name], guarded)
        for each in backfills:
            if each.place in at:
                for batch in self._follow(self._origins[each.source], each.place, at[each.place]):
                    self._caught_up(each, batch, before, [row for row in news if row.source == each.source])
        for words in self.catching_up.left_out(backfills, self._batches(backfills)):
            self._violated("BackfillApart", words)
        self._guarded = guarded
        self._compare_rejects()
        self._compare_wanted(rows)
        self._compare_counts()

    def mend(self, name: str) -> None:
        """From now on the mapping of that source may take what it rejected."""
        self._mendable[name] |= self._rejected[name].keys()

    def lies_behind(self, place: str) -> int:
        """The number of the last durable batch there."""
        return self.stored[place][-1] if self.stored[place] else 0

    def _follow(self, origin: Origin, place: str, newest: int) -> list[Served]:
        """The cursor moved: all batches on the way are durable from now on."""
        last = self.lies_behind(place)
        way: list[Served] = []
        while newest > last:
            batch = origin.served[newest]
            if (batch.run is None) is (place == origin.name):
                self._violated("BackfillApart", f"the cursor of {place} is at batch {newest}, which is not its own")
            way.insert(0, batch)
            newest = batch.before
        if newest != last:
            self._violated("CursorBehindOutbox", f"{place}: cursor went from batch {last} to {newest}")
        self.stored[place] += [batch.number for batch in way]
        return way

    def _polled_now(self, origin: Origin, batch: Served, news: Sequence[Row], guarded: set[str]) -> None:
        self._take(origin, batch, [item.mended() if batch.mended else item for item in batch.items])
        self._rejected[origin.name].update(dict.fromkeys(batch.nobodies))
        self._read[origin.name] += len(batch.items) + batch.keyless
        self._polled[origin.name].update(dict.fromkeys((item.key for item in batch.items), batch.number))
        if batch.run is not None:
            self._check_guard(origin.name, batch.run, news, is_guarded=origin.name in guarded)

    def _caught_up(self, each: Backfill, batch: Served, before: Mapping[str, Row], news: Sequence[Row]) -> None:
        self._happened["batches of a backfill"] += 1
        origin = self._origins[each.source]
        late = overtaken(origin, batch, self._polled[origin.name])
        self._happened["overtaken in a backfill"] += len(late)
        items = [item for item in batch.items if item.key not in late]
        self._take(origin, batch, [item.mended() if batch.mended else item for item in items])
        self._read[origin.name] += len(items)
        for row in news:
            waited = row.key in before and before[row.key].state == "pending"
            if row.lane != "backfill" and not waited:
                self._violated("BackfillApart", f"{row.reference} came by {each.place} in the lane {row.lane}")

    def _take(self, origin: Origin, batch: Served, items: Sequence[Item]) -> None:
        fold(self.wanted[origin.name], items)
        rejected, mendable = self._rejected[origin.name], self._mendable[origin.name]
        for item in items:
            mendable.discard(item.key)
            rejected.pop(item.key, None)
            if item.kind == "invalid":
                rejected[item.key] = item
                if origin.mended and not batch.mended:  # it is on its way already
                    mendable.add(item.key)

    def _check_guard(self, name: str, run: Run, news: Sequence[Row], *, is_guarded: bool) -> None:
        """No run makes more accounts than it may; what is held stays so until an operator releases it."""
        was_guarded = name in self._guarded
        run.held |= (is_guarded and not was_guarded) or (run.first and was_guarded)
        sendable = [row for row in news if row.state == "pending"]
        self._happened["held by the guard"] += sum(row.state == "held" for row in news)
        if run.held and is_guarded and was_guarded and sendable:
            self._violated("GuardHolds", f"{sendable[0].reference} is to be sent, and its run is held")
        others = set().union(*(named for other, named in self._named.items() if other != name))
        run.made |= accounts(sendable) - self._accounts - others
        if run.most is not None and len(run.made) > run.most and not was_guarded:
            self._violated("GuardHolds", f"{name} makes {sorted(run.made)}, and may make {run.most}")

    def _compare_rejects(self) -> None:
        there = set(self._link.execute(REJECTS))
        for name, rejected in self._rejected.items():
            for identity, item in list(rejected.items()):
                if (name, identity) in there or self._orders.is_gone(name, identity):
                    continue
                del rejected[identity]
                if item is None or identity not in self._mendable[name]:
                    self._violated("NoLoss", f"{name} {identity} was rejected, and no reject tells so")
                else:
                    self._happened["mapped again"] += 1
                    fold(self.wanted[name], [item.mended()])
        for person in self._orders.forgotten & there:
            self._violated("ForgottenStaysSo", f"{person} was forgotten, and has a reject")

    def _compare_wanted(self, rows: Mapping[str, Row]) -> None:
        for name, wanted in self.wanted.items():
            for item in wanted.values():
                row = rows.get(normalise(reference(name, item.key)))
                if self._orders.is_gone(name, item.key):
                    if row is not None and (name, item.key) in self._orders.forgotten:
                        self._violated("ForgottenStaysSo", f"{row.reference} was forgotten, and is there again")
                elif row is None:
                    self._violated("CursorBehindOutbox", f"{name} {item.key} was read and is nowhere")
                elif account_of(row.body) != item.account:
                    words = f"{name} {item.key} should become {item.account}, its row wants {account_of(row.body)}"
                    self._violated("NoLoss", words)
                elif row.state == "pending" and row.due is None:
                    self._violated("NoLoss", f"{row.reference} is pending and never due")
        self._accounts |= accounts(rows.values())

    def _compare_counts(self) -> None:
        for name, count in self._link.execute(READ):
            if count != self._read[name]:
                self._violated("BooksBalance", f"{name} handed out {self._read[name]} records, {count} count as read")

    def _batches(self, backfills: Sequence[Backfill]) -> dict[str, list[Served]]:
        served = {each.place: self._origins[each.source].served for each in backfills}
        return {place: [batches[number] for number in self.stored[place]] for place, batches in served.items()}


def accounts(rows: Iterable[Row]) -> set[str]:
    """As they are compared."""
    return {account_of(row.body).casefold() for row in rows}
