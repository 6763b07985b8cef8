"""A help desk as a plugin of the operator's own: what is new stands in a file, old tickets are read by a span only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.installation import Site

DESK = '''
"""A help desk of 3,100 old tickets, of which a live poll reads none, and a file with the numbers of new ones.

It has no answer from page 8 on while there is a file `busy` beside that.
"""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cgsync.api import Batch, Record, SourceType, hook

OLDEST, PAGE = datetime(2026, 4, 30, tzinfo=UTC), 100


class Desk:
    def __init__(self, news, window):
        self.news, self.window = Path(news), window

    async def fetch(self, cursor):
        return await self.history(cursor.get("page", 0)) if self.window else self.fresh(cursor.get("line", 0))

    def fresh(self, line):
        lines = self.news.read_text().splitlines()
        records = [record(number) for number in lines[line:]]
        return Batch(records=records, cursor={"line": len(lines)}) if records else None

    async def history(self, page):
        while page >= 8 and self.news.with_name("busy").exists():
            await asyncio.sleep(0.02)
        if page > 31:
            return None
        tickets = range(page * PAGE, (page + 1) * PAGE)
        wanted = [n for n in tickets if self.window.start <= OLDEST + timedelta(days=n // PAGE) < self.window.end]
        return Batch(records=[record(number) for number in wanted], cursor={"page": page + 1})


def record(number):
    return Record(key=str(number), data={"id": number}, position=f"ticket {number}")


@asynccontextmanager
async def open_desk(options, context):
    yield Desk(options["news"], context.window)


@hook
def cgsync_source_types():
    schema = {"type": "object", "properties": {"news": {"type": "string"}}}
    return [SourceType(name="desk", options_schema=schema, sample="{}", open=open_desk, windows=True)]
'''
MAPPING = """
    as: ticket
    activity: { account: Acme, type: Ticket, source: Desk, happened_at: 2026-05-01, reference: "t-{{ ticket.id }}" }
"""
CONCURRENCY = 8
MAY = {f"t-{number}" for number in range(100, 3_200)}
"""The tickets of that month; there are others."""


def furnish(site: Site, *, every: str = "1s") -> None:
    """Make that help desk the one source of the site."""
    plugins = site.folder / "plugins"
    plugins.mkdir(mode=0o700)
    (plugins / "desk.py").write_text(DESK)
    news(site).touch()
    source = f"  desk:\n    every: {every}\n    desk: {{ news: {news(site)} }}{MAPPING}"
    site.write(
        sources=source, top=f"plugin_dir: {plugins}\n", options=f"rate_limit: 1500/s\n  concurrency: {CONCURRENCY}"
    )


def news(site: Site) -> Path:
    return site.folder / "news.txt"


BEFORE_BUSY = 700
"""The old tickets that can be read while the desk is busy."""


@contextmanager
def busy(site: Site) -> Iterator[None]:
    """Within the block no more than so many old tickets can be read."""
    mark = news(site).with_name("busy")
    mark.touch()
    try:
        yield
    finally:
        mark.unlink()


def arrive(site: Site, *numbers: int) -> set[str]:
    """New tickets; their references."""
    with news(site).open("a") as file:
        file.writelines(f"{number}\n" for number in numbers)
    return {f"t-{number}" for number in numbers}
