"""The bare aiohttp loop: the same bodies to the same receiver, with nothing kept. ``bare.py URL ROWS WORKERS``."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator

import aiohttp
import msgspec

HEADERS = {"Content-Type": "application/json", "Accept": "application/json", "Authorization": "Bearer bench"}


def bodies(rows: int) -> Iterator[bytes]:
    """What cgsync sends for the benchmark's export, serialised once."""
    for number in range(rows):
        yield msgspec.json.encode(
            {
                "account": f"Company {number % 7}",
                "additional_information_object": {"note": "fine" * 20, "status": "open", "total": "9.90"},
                "contact": f"c{number % 50}@example.com",
                "happened_at": "2026-03-04 10:00:00",
                "reference": f"order-{number}",
                "source": "Shop export",
                "type": "Order",
            }
        )


async def work(session: aiohttp.ClientSession, url: str, waiting: Iterator[bytes]) -> None:
    for body in waiting:
        async with session.put(url, data=body, headers=HEADERS) as answer:
            await answer.read()


async def main(url: str, rows: int, workers: int) -> None:
    connector = aiohttp.TCPConnector(limit=workers)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=30)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        waiting = bodies(rows)
        await asyncio.gather(*(work(session, url, waiting) for _ in range(workers)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
