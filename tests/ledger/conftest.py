"""A ledger to try things on: one connection of a real file, a clock that is set by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, Engine, select

from cgsync.api import Record
from cgsync.ledger import Instant, Ledger, books, database, epoch, key, migrate, outbox, sources
from cgsync.ledger.schema import activity as activities
from cgsync.model import Activity, Delivered, Due, Intake, MappedRecord, Outcome, Result, Stored
from cgsync.state import LEDGER, folder

SETTLE_TIME = timedelta(seconds=120)


class HandClock:
    """Time that stands still until it is moved."""

    def __init__(self, seconds: float = 1000.0) -> None:
        self.seconds = seconds

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        await asyncio.sleep(0)


def activity(reference: str, body: Any = "a", account: str = "") -> Activity:
    content = msgspec.json.encode({"reference": reference, "text": body})
    digest = blake2b(content, digest_size=16).digest()
    return Activity(reference=reference, body=content, digest=digest, account=account)


def record(
    reference: str,
    body: Any = "a",
    *,
    record: str | None = None,
    revision: Any = None,
    more: tuple[str, ...] = (),
    account: str = "",
) -> MappedRecord:
    """A mapped record; its key is the reference unless ``record`` says another."""
    name = record or reference
    return MappedRecord(
        record=Record(key=name, data={"id": name, "text": body}, position=f"{name}.csv line 1", revision=revision),
        activities=[activity(each, body, account) for each in (reference, *more)],
    )


class Desk:
    """A transaction on a ledger, and the verbs that tests use."""

    record = staticmethod(record)
    activity = staticmethod(activity)

    def __init__(self, conn: Connection, clock: HandClock) -> None:
        self.conn = conn
        self.clock = clock

    @property
    def now(self) -> Instant:
        return Instant.of(self.clock)

    def store(self, *mapped: MappedRecord, source: str = "s", **more: Any) -> Stored:
        rejects = more.get("rejects", ())
        filtered = sum(more.get("filtered", {}).values())
        read = len(mapped) + filtered + sum(reject.kind == "invalid" for reject in rejects)
        intake = Intake(source=source, read=read, mapped=mapped, mapping_version="m1", **more)
        return outbox.store(self.conn, intake, self.now)

    def settle(self, due: Due, outcome: Outcome | None = None, *, retry_in: float = 0.0) -> list[Due]:
        outcome = outcome or Delivered(status=200, data={"id": 1})
        result = Result(due=due, outcome=outcome, retry_in=timedelta(seconds=retry_in))
        return outbox.settle(self.conn, [result], self.now, SETTLE_TIME)

    def due(self, limit: int = 100) -> list[Due]:
        return outbox.due(self.conn, self.now, limit)

    def row(self, reference: str) -> Any:
        return self.conn.execute(select(activities).where(activities.c.key == key(reference))).one()

    def restart(self, *, clean: bool = False, boot: str = "boot") -> None:
        """What opening does to the time of an existing ledger."""
        epoch.begin(self.conn, self.now, boot, clean=clean, settle_time=SETTLE_TIME)

    def balanced(self) -> bool:
        audit = books.audit(self.conn)
        assert audit.ok, [equation for equation in audit.equations if equation.difference]
        return audit.ok


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    file = tmp_path_factory.mktemp("desk") / LEDGER
    folder.guard(file)
    engine = database.writer(file)
    migrate.bring_up(engine, file)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def open_desk(engine: Engine) -> Callable[[], AbstractContextManager[Desk]]:
    """Opens a desk on an empty ledger with the sources s and t; all that is done at it is taken back in the end."""

    @contextmanager
    def opened() -> Iterator[Desk]:
        with engine.connect() as conn, conn.begin() as transaction:
            desk = Desk(conn, HandClock())
            desk.restart()
            for name in ("s", "t"):
                sources.register(conn, name, "files", desk.now)
            yield desk
            transaction.rollback()

    return opened


@pytest.fixture
def desk(open_desk: Callable[[], AbstractContextManager[Desk]]) -> Iterator[Desk]:
    with open_desk() as desk:
        yield desk


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def open_ledger(tmp_path: Path, clock: HandClock) -> Iterator[Callable[..., Ledger]]:
    """Opens the ledger of this test; what is still open at the end is closed."""
    opened: list[Ledger] = []

    def open_one(**options: Any) -> Ledger:
        opened.append(Ledger.open(tmp_path / "state", **{"receiver": "r", "clock": clock, **options}))
        return opened[-1]

    yield open_one
    for ledger in opened:
        ledger.close()


@pytest.fixture
async def ledger(open_ledger: Callable[..., Ledger]) -> Ledger:
    return open_ledger()
