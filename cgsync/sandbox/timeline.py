"""Questions about what is stored: which activities, in which months, of which accounts. Pure, over a snapshot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec

from cgsync.sandbox.receiver import read
from cgsync.sandbox.rules import OBJECT, information_array
from cgsync.sandbox.store import Activity

TITLES = ("subject", "title", "summary", "topic", "headline", "name")
FACTS = 5
"""Additional values shown beside the title."""
TITLE_LENGTH = 200
"""Characters of a title or fact in a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What to look for; what is empty does not filter. ``end`` is not included."""

    account: str = ""
    types: frozenset[str] = frozenset()
    text: str = ""
    start: datetime | None = None
    end: datetime | None = None

    def spans(self, activity: Activity) -> bool:
        """Whether it happened in the time asked for."""
        return not (self.start and activity.happened < self.start) and not (self.end and activity.happened >= self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """``activities`` newest first; ``types`` counts ignore the type filter, ``spans`` the time filter."""

    activities: Sequence[Activity]
    types: Mapping[str, int]
    bucket: str
    spans: Mapping[str, Mapping[str, int]]


@dataclass(slots=True, kw_only=True)
class Account:
    """An account with what it has."""

    name: str
    id: int
    activities: int = 0
    latest: datetime | None = None
    types: Counter[int] = field(default_factory=Counter)


def select(activities: Iterable[Activity], query: Query) -> Selection:
    """Everything that the timeline shows of a query."""
    text = query.text.casefold()
    found = [a for a in activities if (not query.account or a.account == query.account) and (not text or says(a, text))]
    typed = [a for a in found if not query.types or a.type in query.types]
    spanned = [a for a in typed if query.spans(a)]
    spanned.sort(key=lambda a: (a.happened, a.id), reverse=True)
    bucket = _bucket(typed)
    return Selection(
        activities=spanned,
        types=dict(sorted(Counter(a.type for a in found if query.spans(a)).items())),
        bucket=bucket,
        spans=_spans(typed, bucket),
    )


def says(activity: Activity, text: str) -> bool:
    """Whether a value of the activity holds ``text``, which is casefolded."""
    raw = activity.body
    if b"\\" not in raw and text not in raw.decode(errors="replace").casefold():
        return False  # nothing is escaped, so that the bytes answer for nearly all of them
    return any(text in value.casefold() for value in _texts(read(raw)))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    else:
        yield str(value)


def _bucket(activities: Sequence[Activity]) -> str:
    if not activities:
        return "month"
    length = max(a.happened for a in activities) - min(a.happened for a in activities)
    return "day" if length <= timedelta(days=45) else "month" if length <= timedelta(days=6 * 366) else "year"


def _spans(activities: Iterable[Activity], bucket: str) -> dict[str, dict[str, int]]:
    form = {"day": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y"}[bucket]
    counted = Counter((a.happened.strftime(form), a.type) for a in activities)
    spans: dict[str, dict[str, int]] = {}
    for (span, kind), number in sorted(counted.items()):
        spans.setdefault(span, {})[kind] = number
    return spans


def accounts(activities: Iterable[Activity], *, text: str = "", order: str = "recent") -> list[Account]:
    """The accounts whose name holds ``text``: the most recent first, or by ``name`` or by ``count``."""
    found: dict[str, Account] = {}
    for activity in activities:
        account = found.get(activity.account)
        if account is None:
            account = found[activity.account] = Account(name=activity.account, id=activity.account_id)
        account.activities += 1
        account.types[activity.classification_id] += 1
        account.latest = max(account.latest or activity.happened, activity.happened)
    wanted = [account for account in found.values() if text.casefold() in account.name.casefold()]
    wanted.sort(key=lambda account: account.name.casefold())
    if order == "count":
        wanted.sort(key=lambda account: account.activities, reverse=True)
    elif order != "name":
        wanted.sort(key=lambda account: account.latest or datetime.min, reverse=True)  # noqa: DTZ901 - compared with naive times
    return wanted


def line(activity: Activity) -> dict[str, Any]:
    """An activity as a line of the timeline: a title, and the first facts beside it."""
    information = _information(read(activity.body) or {})
    title_key = next((key for title in TITLES for key in information if key.casefold() == title), None)
    title = information.pop(title_key) if title_key else None
    return {
        "id": activity.id,
        "reference": activity.reference,
        "account": activity.account,
        "contact": activity.contact,
        "type": activity.type,
        "type_id": activity.classification_id,
        "source": activity.source,
        "happened": _utc(activity.happened),
        "title": _short(_words(title)) if title not in (None, "") else None,
        "facts": [[key, _short(_words(value))] for key, value in list(information.items())[:FACTS]],
        "puts": activity.puts,
        "updated": activity.updated,
    }


def whole(activity: Activity) -> dict[str, Any]:
    """An activity with all that is known of it; ``body`` is the text as it was sent."""
    return {
        **line(activity),
        "account_id": activity.account_id,
        "contact_id": activity.contact_id,
        "classification_id": activity.classification_id,
        "created": activity.created,
        "information": [[key, _words(value)] for key, value in _information(read(activity.body) or {}).items()],
        "body": activity.body.decode(errors="replace"),
    }


def _information(body: Mapping[str, Any]) -> dict[str, Any]:
    informed = body.get(OBJECT)
    return dict(informed) if isinstance(informed, dict) else information_array(body) or {}


def _words(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and not any(isinstance(each, list | dict) for each in value):
        return ", ".join(map(_words, value))
    return msgspec.json.encode(value).decode()


def _short(text: str) -> str:
    return text if len(text) <= TITLE_LENGTH else text[: TITLE_LENGTH - 1] + "…"


def _utc(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
