"""The rest source by itself, without core and ledger: ``ticket_reader.py URL`` prints records, wall and CPU seconds."""

from __future__ import annotations

import asyncio
import json
import sys
import time

from cgsync_rest import cgsync_source_types

from cgsync.clock import SystemClock
from cgsync.testing import as_opened, context
from cgsync.testing.driving import Driver


async def main(url: str) -> None:
    kind = cgsync_source_types()[0]
    options = {
        "url": f"{url}/tickets",
        "records": "$.tickets[*]",
        "key": "id",
        "paginate": {"page": {"total_path": "$.pages"}},
        "incremental": {"field": "updated_at", "order": "asc"},
        "rate_limit": {"rate": "100000/s"},
    }
    driver = Driver(kind=kind, options=as_opened(kind, options), context=context(clock=SystemClock()))
    async with driver.open() as source:
        wall, cpu, records = time.monotonic(), time.process_time(), 0
        async for step in driver.steps(source, {}):
            records += len(step.batch.records)
        print(json.dumps([records, time.monotonic() - wall, time.process_time() - cpu]))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
