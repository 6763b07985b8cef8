"""Verbs to try things with: the sandbox and the demo."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8788, show_default=True, help="The port; 0 takes a free one.")
@click.option("--rate-limit", type=float, metavar="N", help="Answer 429 above N requests a second.")
@click.option("--latency", type=float, default=0.0, metavar="SECONDS", help="Wait before each answer.")
@click.option("--token-lifetime", type=float, default=3600.0, metavar="SECONDS", help="How long a token lasts.")
def sandbox(**options: Any) -> None:
    """Run a stand-in for CustomerGauge: token endpoint, PUT /activities with its rules, and a page to look at."""
    from cgsync.sandbox import serve

    asyncio.run(serve(**options))


@click.command()
@click.option("--folder", type=click.Path(path_type=Path), help="Where to put the demo; else a temporary folder.")
@click.option("--port", default=8788, show_default=True, help="The sandbox's port; 0 takes a free one.")
@click.option("--once", is_flag=True, help="End when everything is delivered.")
def demo(folder: Path | None, port: int, once: bool) -> None:
    """Start the sandbox and a small help desk, write sample exports, and run the real daemon on all of it."""
    from cgsync import demonstration

    demonstration.run(folder, port=port, once=once)
