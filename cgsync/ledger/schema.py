"""The tables of the ledger, as the newest migration leaves them.

Two kinds of time stand in here. ``*_at`` is wall time in ISO 8601, for people. ``due``, ``doubt`` and ``queued`` are
seconds of the ledger's own time (see ``epoch``), which never steps; they are what decisions are made by.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

REVISIONS = ("0001", "0002")
"""Each schema that this program can read, oldest first; the last one is what it works with."""

Id = BigInteger().with_variant(Integer, "sqlite")  # only INTEGER PRIMARY KEY is SQLite's own row id

metadata = MetaData()

meta = Table(
    "meta",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

epoch = Table(
    "epoch",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("boot_id", Text, nullable=False),
    Column("shift", Float, nullable=False),  # ledger time = boot time + shift
    Column("horizon", Float, nullable=False),  # no pending row waits for a later instant, none was queued later
    Column("unclean_from", Float, nullable=False),  # what was queued up to here ...
    Column("unclean_until", Float, nullable=False),  # ... may still be executing over there until here
)

source = Table(
    "source",
    metadata,
    Column("uid", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("plugin", Text, nullable=False),
    Column("paused", Boolean, nullable=False),
    Column("removed", Boolean, nullable=False),
    Column("guard", Text),  # why a run of it is held, in words; empty: it is not
    Column("since_at", Text, nullable=False),
)

activity = Table(
    "activity",
    metadata,
    Column("seq", Id, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("reference", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),  # of the desired body, whatever became of it so far
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("due", Float),  # empty: nothing is to be sent
    Column("doubt", Float),  # until then an abandoned request may still be executed
    Column("queued", Float, nullable=False),
    Column("failing", Float),  # since when this version fails, where that was counted
    Column("attempts", Integer, nullable=False),
    Column("retries", Integer, nullable=False),  # daily ones, of what was refused
    Column("lane", Text, nullable=False),
    Column("revision", Text),
    Column("owner", Text, nullable=False),  # the source that first used the reference, and its record
    Column("owner_record", Text, nullable=False),
    Column("source", Text, nullable=False),  # where the desired version came from
    Column("record", Text, nullable=False),
    Column("position", Text, nullable=False),
    Column("mapping", Text, nullable=False),
    Column("first_at", Text, nullable=False),
    Column("stored_at", Text, nullable=False),
    Column("delivered_version", Integer),
    Column("delivered_at", Text),
    Column("answer", Text),
)
Index(
    "activity_due",
    *(activity.c.lane, activity.c.source, activity.c.due, activity.c.seq),
    sqlite_where=activity.c.due.is_not(None),
)
Index("activity_doubt", activity.c.doubt, sqlite_where=activity.c.doubt.is_not(None))
Index("activity_open", activity.c.state, activity.c.source, sqlite_where=activity.c.state != "delivered")

# beside the row and not in it: a change of state then writes two hundred bytes, not two thousand
payload = Table(
    "payload",
    metadata,
    Column("seq", Id, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
    Column("record", LargeBinary, nullable=False),
)

attempt = Table(
    "attempt",
    metadata,
    Column("id", Id, primary_key=True),
    Column("seq", Id, nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("at", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("status", Integer),
    Column("reason", Text, nullable=False),
)

reject = Table(
    "reject",
    metadata,
    Column("id", Id, primary_key=True),
    Column("source", Text, nullable=False),
    Column("identity", Text, nullable=False),
    Column("key", Text, nullable=False),  # of the activity that was refused, else empty
    Column("kind", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("position", Text, nullable=False),
    Column("record", LargeBinary, nullable=False),
    Column("mapped", LargeBinary),
    Column("reasons", Text, nullable=False),
    Column("mapping", Text, nullable=False),
    Column(
        "basis", Text, nullable=False, server_default=""
    ),  # all that it was judged by; with another it is tried again
    Column("revision", Text),
    Column("reference", Text),
    Column("times", Integer, nullable=False),
    Column("first_at", Text, nullable=False),
    Column("last_at", Text, nullable=False),
    Column("dropped_at", Text),  # given up by an operator, with a reason; stays so while the record is the same
    Column("dropped_why", Text),
    UniqueConstraint("source", "identity", "key"),
)
Index("reject_key", reject.c.key, sqlite_where=reject.c.key != "")

checkpoint = Table(
    "checkpoint",
    metadata,
    Column("source", Text, primary_key=True),
    Column("part", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("stored_at", Text, nullable=False),
)

settlement = Table(
    "settlement",
    metadata,
    Column("id", Id, primary_key=True),
    Column("source", Text, nullable=False, index=True),
    Column("value", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("error", Text, nullable=False),
    Column("stored_at", Text, nullable=False),
)

run = Table(
    "run",
    metadata,
    Column("id", Id, primary_key=True),
    Column("source", Text, nullable=False, index=True),
    Column("started_at", Text, nullable=False),
    Column("finished_at", Text, nullable=False),
    Column("counts", Text, nullable=False),
    Column("error", Text, nullable=False),
)

counter = Table(
    "counter",
    metadata,
    Column("source", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

account = Table(
    "account",
    metadata,
    Column("key", Text, primary_key=True),  # the name as the receiver may compare it
    Column("name", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("first_at", Text, nullable=False),
)

forgotten = Table(
    "forgotten",
    metadata,
    Column("digest", LargeBinary, primary_key=True),  # keyed: who reads the file learns nothing of whom it is about
    Column("at", Text, nullable=False),
)

backfill = Table(
    "backfill",
    metadata,
    Column("id", Id, primary_key=True),
    Column("source", Text, nullable=False),
    Column("since_at", Text, nullable=False),
    Column("until_at", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("counts", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("started_at", Text, nullable=False),
    Column("finished_at", Text),
)

mapping = Table(
    "mapping",
    metadata,
    Column("version", Text, primary_key=True),
    Column("expressions", Text, nullable=False),  # field → template
    Column("first_at", Text, nullable=False),
)
