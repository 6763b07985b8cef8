"""``cgsync demo``: the sandbox, a drop folder with sample exports, a small help desk, and the real daemon on them."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click

from cgsync.sandbox import Sandbox
from cgsync.sandbox.demo import KEY, Desk, write_demo


def run(folder: Path | None, *, port: int, once: bool) -> None:
    """Run until Ctrl-C; with ``once`` until everything is delivered."""
    with _place(folder) as place:
        sys.exit(asyncio.run(_show(place, port=port, once=once)))


@contextlib.contextmanager
def _place(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="cgsync-demo-") as made:
        yield Path(made)


async def _show(folder: Path, *, port: int, once: bool) -> int:
    async with Sandbox(port=port) as sandbox, Desk() as desk:
        config = write_demo(folder, sandbox_url=sandbox.url, token_url=sandbox.token_url, desk_url=desk.url)
        _announce(config, sandbox.page, desk.url, once=once)
        arguments = ["run", "--once"] if once else ["run"]
        # a process of its own, as in real life; a session of its own, so that Ctrl-C reaches it once, through us
        daemon = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "cgsync", "-c", str(config), *arguments, start_new_session=True
        )
        with _passed_on(daemon):
            return await daemon.wait()


@contextlib.contextmanager
def _passed_on(daemon: asyncio.subprocess.Process) -> Iterator[None]:
    """Ctrl-C and SIGTERM end the daemon; the demo ends after it."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, _end, daemon)
    yield
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.remove_signal_handler(number)


def _end(daemon: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        daemon.terminate()


def _program() -> str:
    """What one has to type: the plain name when the shell finds this very program by it."""
    program = Path(sys.argv[0]).resolve()
    found = shutil.which("cgsync")
    return "cgsync" if found and Path(found).resolve() == program else str(program)


def _announce(config: Path, page: str, desk: str, *, once: bool) -> None:
    cgsync = f"{_program()} -c {config}"
    click.echo(f"""
  cgsync demo

  what CustomerGauge would show   {page}
  the drop folder                 {config.parent / "drop"}
  the help desk's API             {desk}
  the configuration               {config}

  Things to try in another terminal:
    {cgsync} status
    {cgsync} preview orders
    {cgsync} rejects list
    {cgsync} audit
    curl -X PATCH {desk}/4630 -H "Authorization: Bearer {KEY}" -d '{{"status": 3}}'
    {cgsync} explain helpdesk-4630
  {"" if once else "Ctrl-C ends it."}
""")
