"""The REST source is held to the same contract as anyone's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cgsync_rest import cgsync_source_types

from cgsync.testing import FakeClock, SourceConformance
from tests.plugins.rest.desk import PASSWORD, USER, Desk, open_desk

COUNT = 1300
STAMP = {"field": "updated_at", "param": "since", "order": "asc"}


class OverADesk(SourceConformance):
    """Tickets of the last day, sorted; more than one batch holds, and more than fit on a page."""

    source_type = cgsync_source_types()[0]
    keys = frozenset(str(number) for number in range(COUNT))
    paging = "page"
    size = 700

    @pytest.fixture
    async def desk(self) -> AsyncIterator[Desk]:
        clock = FakeClock(datetime.now(UTC) - timedelta(days=1))
        desk = Desk(clock=clock, paging=self.paging, order="asc", size=self.size, auth="basic")
        desk.fill(COUNT, step=timedelta(seconds=60))
        clock.advance(timedelta(seconds=datetime.now(UTC).timestamp() - clock.now().timestamp()))
        async with open_desk(lambda: desk):
            yield desk

    def options_for(self, desk: Desk, **more: Any) -> Mapping[str, Any]:
        auth = {"basic": {"username": USER, "password": PASSWORD}}
        return {"url": desk.url, "records": "$.tickets[*]", "key": "id", "auth": auth, "rate_limit": "1000/s", **more}

    def surroundings(self, folder: Path) -> Any:
        return None


class TestPages(OverADesk):
    @pytest.fixture
    def options(self, desk: Desk) -> Mapping[str, Any]:
        return self.options_for(desk, paginate={"page": {}}, incremental=STAMP)


class TestTokens(OverADesk):
    """Nothing is known of the order: only the token goes on."""

    paging = "cursor"

    @pytest.fixture
    def options(self, desk: Desk) -> Mapping[str, Any]:
        paginate = {"cursor": {"path": "$.token", "param": "cursor"}}
        return self.options_for(desk, paginate=paginate, incremental={**STAMP, "order": "none"})


class TestPartitions(OverADesk):
    """Two windows of the same desk, as partitions."""

    paging = "offset"
    keys = frozenset(f"{half}-{number}" for half in "ab" for number in range(COUNT))

    @pytest.fixture
    def options(self, desk: Desk) -> Mapping[str, Any]:
        paginate = {"offset": {"limit": 700}}
        half = {"for_each": {"values": ["a", "b"]}, "key": "{{ partition }}-{{ record.id }}"}
        return {**self.options_for(desk, paginate=paginate, incremental=STAMP), **half}
