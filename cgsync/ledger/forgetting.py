"""Forgetting a person: what is stored of them goes, and a keyed hash stays so that no later poll brings them back."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import msgspec
from sqlalchemy import Column, ColumnElement, Connection, Select, Text, cast, delete, insert, or_, select, update
from sqlalchemy import func as sql

from cgsync.ledger import counters, meta, plain, retention
from cgsync.ledger.addresses import addresses_in, is_address
from cgsync.ledger.counters import Tally
from cgsync.ledger.instant import Instant
from cgsync.ledger.outbox.rows import load
from cgsync.ledger.reference import key as normalise
from cgsync.ledger.schema import (
    account,
    activity,
    attempt,
    backfill,
    checkpoint,
    forgotten,
    payload,
    reject,
    run,
    settlement,
    source,
)
from cgsync.ledger.statements import THESE, chunks, find
from cgsync.model import Intake

SPAN = 5_000
"""Rows that are looked at in one go."""
SECRET = "forgetting"  # noqa: S105 - the name of what is kept in meta, not the key itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who is to be forgotten: by ``address`` (lower case), or by the key of a reference and the record behind it."""

    address: str = ""
    key: str = ""
    record: tuple[str, str] | None = None
    """uid of the source and key of the record"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What is stored of a person: keys of activities, source and key of the records behind them, numbers of rejects."""

    keys: Sequence[str]
    records: frozenset[tuple[str, str]]
    rejects: Sequence[int] = ()


@dataclass(slots=True, kw_only=True)
class Told:
    """The same for people. ``activities``: how many in each state; ``rejects`` are those without an activity.

    ``received``: reference → what the API answered (``None``: nothing, it may have it); ``places``: name of a source
    → the positions that it was read from.
    """

    activities: Counter[str] = field(default_factory=Counter)
    rejects: int = 0
    accounts: Sequence[str] = ()
    received: dict[str, Any] = field(default_factory=dict)
    places: dict[str, set[str]] = field(default_factory=dict)

    def add(self, more: Told) -> None:
        """Take in what another part of the ledger told."""
        self.activities.update(more.activities)
        self.rejects += more.rejects
        self.received |= more.received
        for name, positions in more.places.items():
            self.places.setdefault(name, set()).update(positions)


def person(conn: Connection, name: str) -> Person:
    """Whom the operator means: whoever has that address, else whom the activity of that reference is about."""
    if is_address(name.strip()):
        return Person(address=name.strip().casefold())
    key = normalise(name)
    row = conn.execute(select(activity.c.source, activity.c.record).where(activity.c.key == key)).one_or_none()
    return Person(key=key, record=(row.source, row.record) if row else None)


def bar(conn: Connection, who: Person, now: Instant) -> None:
    """From this commit on, nothing of that person is stored any more."""
    wanted = _address(who.address) if who.address else _reference(who.key)
    _remember(conn, [wanted, *([_record(*who.record)] if who.record else [])], now)


def look(conn: Connection, who: Person, after: int) -> tuple[Found, int | None]:
    """What the activities behind that number hold of the person, and the number to go on after."""
    newest = conn.execute(select(sql.max(activity.c.seq))).scalar_one() or 0
    end = min(after + SPAN, newest)
    rows = [row for row in conn.execute(_activities(who, after, end)) if _is_meant(who, row)]
    found = Found(keys=[row.key for row in rows], records=frozenset((row.source, row.record) for row in rows))
    return found, end if end < newest else None


def look_at_rejects(conn: Connection, who: Person) -> Found:
    """What the rejects hold of the person, and the activities that were refused."""
    rows = [row for row in conn.execute(_rejects(who)) if _is_rejected(who, row)]
    # what has no key is named by its position, where tomorrow somebody else may stand
    records = frozenset((row.source, row.identity) for row in rows if row.identity != row.position)
    return Found(keys=[row.key for row in rows if row.key], records=records, rejects=[row.id for row in rows])


def tell(conn: Connection, found: Found) -> Told:
    """What was found, as it stands now."""
    told, names = Told(), {row.uid: row.name for row in conn.execute(select(source.c.uid, source.c.name))}
    for keys in chunks(found.keys):
        for row in conn.execute(select(activity).where(activity.c.key.in_(keys))):
            told.activities[row.state] += 1
            told.places.setdefault(names.get(row.source, row.source), set()).add(row.position)
            if row.delivered_version is not None or row.doubt is not None:
                told.received[row.reference] = msgspec.json.decode(row.answer) if row.answer else None
    for numbers in chunks(found.rejects):
        for row in conn.execute(
            select(reject.c.source, reject.c.position, reject.c.key).where(reject.c.id.in_(numbers))
        ):
            told.places.setdefault(names.get(row.source, row.source), set()).add(row.position)
            told.rejects += not row.key
    return told


def remove(conn: Connection, found: Found, now: Instant) -> Told:
    """Take away what was found, with payloads, rejects and attempts; returns what that was."""
    told = tell(conn, found)
    _remember(conn, [*map(_reference, found.keys), *(_record(*each) for each in found.records)], now)
    rows = list(load(conn, found.keys).values())
    tally: Tally = Counter()
    for row in rows:
        if row.state in counters.OPEN:
            row.leave(tally)
            tally[row.source, "forgotten"] += 1
    tally.update(retention.regain(conn, [row.seq for row in rows]))
    for chunk in chunks(row.seq for row in rows):
        for table in (payload, attempt, activity):
            conn.execute(delete(table).where(table.c.seq.in_(chunk)))
    for keys in chunks(row.key for row in rows):
        conn.execute(delete(reject).where(reject.c.key.in_(keys), reject.c.key != ""))
    for numbers in chunks(found.rejects):
        conn.execute(delete(reject).where(reject.c.id.in_(numbers)))
    counters.add(conn, tally)
    return told


def accounts(conn: Connection, who: Person) -> Sequence[str]:
    """The accounts that are named like the person."""
    if not who.address:
        return []
    named = conn.execute(select(account.c.name).where(_names(account.c.name, who))).scalars()
    return [name for name in named if who.address in addresses_in(name)]


def remove_accounts(conn: Connection, who: Person) -> Sequence[str]:
    """Take them away; returns which they were."""
    names = accounts(conn, who)
    for chunk in chunks(names):
        conn.execute(delete(account).where(account.c.name.in_(chunk)))
    return names


def remove_words(conn: Connection, who: Person) -> None:
    """Take away what failures said, where the person is named in it."""
    if who.address:
        for table in (run, settlement, backfill):
            said = conn.execute(select(table.c.id, table.c.error).where(_names(table.c.error, who)))
            for chunk in chunks(row.id for row in said.all() if _is_meant(who, row)):
                conn.execute(update(table).where(table.c.id.in_(chunk)).values(error=""))


def cursors(conn: Connection, who: Person) -> Sequence[str]:
    """The parts of sources that are read on from a place with that name: that stays, or they would be read again."""
    if not who.address:
        return []
    parts = select(source.c.name, checkpoint.c.part, checkpoint.c.value).join(
        source, source.c.uid == checkpoint.c.source
    )
    named = or_(_names(checkpoint.c.part, who), _names(checkpoint.c.value, who))
    return [f"{row.name} {row.part}" for row in conn.execute(parts.where(named)) if _is_meant(who, row)]


def is_forgotten(conn: Connection, reference: str) -> str | None:
    """When the activity of that reference, or the person of that address, was forgotten; ``None``: it was not."""
    if (secret := _secret(conn)) is None:
        return None
    names = [_reference(normalise(reference)), _address(reference.strip().casefold())]
    digests = [_digest(secret, name) for name in names]
    return conn.execute(select(forgotten.c.at).where(forgotten.c.digest.in_(digests)).limit(1)).scalar_one_or_none()


def recognised(conn: Connection, intake: Intake) -> Collection[str]:
    """Keys of the records in a batch (positions, for those without) that are of somebody who was forgotten."""
    if (secret := _secret(conn)) is None:
        return ()
    names: dict[bytes, set[str]] = {}
    for name, trace in _traces(intake):
        names.setdefault(_digest(secret, trace), set()).add(name)
    return {name for (digest,) in find(conn, _known, names) for name in names[digest]}


def _traces(intake: Intake) -> Iterator[tuple[str, str]]:
    """By what each record may be recognised: (its key, what is hashed)."""
    for mapped in intake.mapped:
        name = mapped.record.key
        yield name, _record(intake.source, plain.text(name))
        yield from ((name, _reference(normalise(each.reference))) for each in mapped.activities)
        content = [name, mapped.record.position, mapped.record.data, *(each.body for each in mapped.activities)]
        yield from ((name, _address(address)) for address in addresses_in(content))
    for one in intake.rejects:
        yield one.identity, _record(intake.source, plain.text(one.identity))
        if one.reference:
            yield one.identity, _reference(normalise(one.reference))
        held = (one.identity, one.position, one.record, one.mapped)
        yield from ((one.identity, _address(address)) for address in addresses_in(held))


def _activities(who: Person, after: int, end: int) -> Select[Any]:
    row = activity.c
    texts = [row.reference, row.record, row.owner_record, row.position, row.answer]
    contents = [payload.c.body, payload.c.record]
    return (
        select(row.seq, row.key, row.source, *texts, payload.c.body, payload.c.record.label("content"))
        .outerjoin(payload, payload.c.seq == row.seq)
        .where(row.seq > after, row.seq <= end, _may_be(who, row.key, (row.source, row.record), [*texts, *contents]))
    )


def _rejects(who: Person) -> Select[Any]:
    row = reject.c
    contents = [row.identity, row.reference, row.position, row.record, row.mapped, row.reasons]
    mine = _may_be(who, row.key, (row.source, row.identity), contents)
    if not who.address:
        mine = or_(mine, row.reference.is_not(None))  # as it was spelled: to be compared by its key
    return select(row.id, row.key, row.source, *contents).where(mine)


def _may_be(
    who: Person, key: Column[Any], record: tuple[Column[Any], Column[Any]], texts: Iterable[Column[Any]]
) -> ColumnElement[bool]:
    """Rows worth a closer look."""
    if who.address:
        return or_(*(_names(each, who) for each in texts))
    mine = key == who.key
    return or_(mine, (record[0] == who.record[0]) & (record[1] == who.record[1])) if who.record else mine


def _names(text: Column[Any], who: Person) -> ColumnElement[bool]:
    needle = who.address if who.address.isascii() else "@"  # the database knows no other letters in lower case
    return sql.instr(sql.lower(cast(text, Text)), needle) > 0


def _is_meant(who: Person, row: Any) -> bool:
    return not who.address or who.address in addresses_in(list(row))


def _is_rejected(who: Person, row: Any) -> bool:
    if who.address:
        return _is_meant(who, row)
    mine = who.key == (normalise(row.reference) if row.reference else row.key)
    return mine or (row.source, row.identity) == who.record


def _remember(conn: Connection, traces: Iterable[str], now: Instant) -> None:
    secret = _secret(conn) or _new_secret(conn)
    digests = {_digest(secret, trace) for trace in traces}
    known = {digest for (digest,) in find(conn, _known, digests)}
    if fresh := digests - known:
        conn.execute(insert(forgotten), [{"digest": digest, "at": now.stamp} for digest in sorted(fresh)])


def _secret(conn: Connection) -> bytes | None:
    """The key of all hashes; ``None`` as long as nobody was ever forgotten."""
    secret = meta.get(conn, SECRET)
    return None if secret is None else bytes.fromhex(secret)


def _new_secret(conn: Connection) -> bytes:
    secret = secrets.token_bytes(32)
    meta.put(conn, SECRET, secret.hex())
    return secret


def _digest(secret: bytes, trace: str) -> bytes:
    return blake2b(trace.encode("utf-8", "backslashreplace"), key=secret, digest_size=16).digest()


def _reference(key: str) -> str:
    return f"reference {key}"


def _record(source: str, key: str) -> str:
    return f"record {source}\0{key}"


def _address(address: str) -> str:
    return f"address {address}"


def _known(_: Connection) -> Select[Any]:
    return select(forgotten.c.digest).where(forgotten.c.digest.in_([THESE]))
