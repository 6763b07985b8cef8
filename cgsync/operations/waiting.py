"""What an activity waits for, in sentences: itself, the sending, its source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cgsync.health import Condition
from cgsync.ledger import Explanation, Rejected, sending
from cgsync.ledger.outbox.due import MOST_AHEAD
from cgsync.model import RejectKind, State
from cgsync.operations.core import Core

UNWELL = frozenset({Condition.UNAVAILABLE, Condition.MISCONFIGURED, Condition.HELD, Condition.BLIND})
NEVER_AGAIN = "refused by CustomerGauge; it is not tried again before it changes at its source"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """``words`` end in ``seconds``, where there are any: "it is sent in" 34.0. ``hint``: what to do."""

    words: str
    seconds: float | None = None
    hint: str = ""


async def waits(core: Core, found: Explanation) -> list[Sentence]:
    """All that stands between the desired version and the receiver, the reason that decides first."""
    kept = list(_kept_back(found))
    coming = [] if found.due_in is None else [*await _sending(core), _turn(found)]
    return [*kept, *coming, *_source(core, found)]


def _kept_back(found: Explanation) -> Iterator[Sentence]:
    """Why it is not sent at all."""
    if found.state == State.HELD:
        release = f"`cgsync outbox release {found.reference}` sends it"
        if found.guard is None:
            yield Sentence(words="held by hand", hint=release)
        else:
            others = f"`cgsync outbox release --source {found.source}` all of them"
            yield Sentence(words=f"held by the guard of {found.source}: {found.guard}", hint=f"{release}, {others}")
    elif found.state == State.REFUSED and found.due_in is None:
        yield Sentence(words=NEVER_AGAIN, hint=_retry(found))
    elif found.state not in set(State):
        yield Sentence(words="given up with its source", hint="it comes back when a source reads it again")


async def _sending(core: Core) -> list[Sentence]:
    """Why nothing is sent at all."""
    if core.running:
        state = core.engine.sender.state()
        if state.gate == "open":
            return []
        after = "" if state.next_probe is None else "; it is tried again in"
        return [
            Sentence(words=f"sending: {state.gate}, {state.words}{after}", seconds=state.next_probe, hint=state.hint)
        ]
    found = [Sentence(words="no daemon runs", hint="`cgsync run` starts it")]
    if since := await core.ledger.read(sending.paused_since):
        words = f"sending was paused by an operator at {since.astimezone():%Y-%m-%d %H:%M}"
        found.append(Sentence(words=words, hint="`cgsync resume --sending` ends that"))
    return found


def _turn(found: Explanation) -> Sentence:
    """When it is its turn."""
    if not found.due_in:
        return Sentence(words=f"due now{_queue(found)}")
    if found.state == State.REFUSED:
        words = "refused by CustomerGauge; the same is tried once a day, next in"
        return Sentence(words=words, seconds=found.due_in, hint=_retry(found))
    if found.in_doubt is not None and found.due_in >= found.in_doubt:
        words = "an older request may still be executed over there; this version is sent in"
        return Sentence(words=words, seconds=found.due_in)
    times = f"tried {found.attempts} times without success" if found.attempts > 1 else "tried without success"
    return Sentence(words=f"{times}; it is sent again in", seconds=found.due_in)


def _queue(found: Explanation) -> str:
    """Where it stands among those that are due."""
    if found.ahead is None:
        return ""
    parts = []
    if found.ahead.own:
        parts.append(f"behind {_count(found.ahead.own)} of {found.source}")
    if found.ahead.better:
        parts.append(f"after {_count(found.ahead.better)} in lanes that go first")
    return f" in the lane {found.lane}, {' and '.join(parts) or 'next of its source'}"


def _count(rows: int) -> str:
    return f"{rows:,}{' or more' if rows >= MOST_AHEAD else ''}"


def _retry(found: Explanation) -> str:
    numbers = [str(reject.id) for reject in found.rejects if reject.kind is RejectKind.REFUSED]
    return f"`cgsync rejects retry {numbers[0]}` tries it at once" if numbers else ""


def _is_newer(reject: Rejected, found: Explanation) -> bool:
    own = (reject.source, reject.identity) == (found.source, found.record_key)
    return own and reject.kind is not RejectKind.REFUSED


def _source(core: Core, found: Explanation) -> Iterator[Sentence]:
    """Why a newer version at the source was not taken, or would not be seen."""
    name = found.source
    if any(_is_newer(reject, found) for reject in found.rejects):
        yield Sentence(words="its record was read again since and rejected: this is what it was before")
    if found.removed:
        yield Sentence(
            words=f"source {name} is not in the configuration: nothing new is read, what waits is still sent"
        )
    elif found.paused:
        words = f"source {name} is paused: what changes there is not read"
        yield Sentence(words=words, hint=f"`cgsync resume {name}` ends that")
    elif name in core.config.broken:
        yield Sentence(words=f"source {name} is broken: {core.config.broken[name].reason}")
    elif core.running and name in core.engine.sources:
        health = core.engine.sources[name].poller.health
        if health.outlook in UNWELL:
            yield Sentence(words=f"source {name} is {health.outlook}: {health.words}", hint=health.hint)
