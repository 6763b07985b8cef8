"""A mailbox from end to end against fetching it alone, on one server in interleaved runs; and how soon IDLE brings one.

``python tests/bench/mail.py [--messages 5000] [--runs 4] [--waited 100]``
"""

from __future__ import annotations

import argparse
import asyncio
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "plugins"), str(Path(__file__).parent)]

from imapclient import IMAPClient  # noqa: E402 - a program: its folders come first
from measure import Cost, median, run, spread  # noqa: E402 - a program: its folders come first
from receiver import Receiver  # noqa: E402 - the same

from tests.plugins.imap.dovecot import PASSWORD, available, dovecot  # noqa: E402 - the same
from tests.plugins.imap.mailbox import Mailbox, letter  # noqa: E402 - the same

CONFIG = """
customergauge:
  url: http://127.0.0.1:{port}/activities
  token_url: http://127.0.0.1:{port}/oauth2/token
  client_id: bench
  client_secret: bench
  rate_limit: 100000/s
  concurrency: 32
state_dir: {folder}/state
sources:
  support:
    every: 1h
    imap:
      host: 127.0.0.1
      port: {server.tls}
      tls: {{ ca: {server.ca} }}
      username: {user}
      password: {password}
      start: {start}
    as: mail
    activity:
      account: "{{{{ mail.from.domain }}}}"
      contact: "{{{{ mail.from.address }}}}"
      type: Email
      source: Support mailbox
      happened_at: "{{{{ mail.date }}}}"
      additional_information_object:
        subject: "{{{{ mail.subject }}}}"
        text: "{{{{ mail.trimmed | truncate(2000) }}}}"
"""
TEXT = "\n".join(["The order has not arrived, and nobody answers the telephone."] * 20 + ["> as you wrote"] * 20)


class Noted(Receiver):
    """Tells when a PUT was there."""

    times: queue.SimpleQueue[float] = queue.SimpleQueue()

    def data_received(self, data: bytes) -> None:
        before = Receiver.puts
        super().data_received(data)
        for _ in range(Receiver.puts - before):
            self.times.put(time.monotonic())


@contextmanager
def receiving() -> Iterator[int]:
    """A receiver in a thread of its own; its port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    started = asyncio.run_coroutine_threadsafe(loop.create_server(Noted, "127.0.0.1", 0), loop)
    try:
        yield started.result().sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def command(folder: Path, mailbox: Mailbox, port: int, *, start: str) -> list[str]:
    config = folder / "cgsync.yaml"
    config.write_text(
        CONFIG.format(
            port=port, folder=folder, server=mailbox.server, user=mailbox.user, password=PASSWORD, start=start
        )
    )
    config.chmod(0o600)
    return [sys.executable, "-m", "cgsync", "-c", str(config), "run"]


def whole(mailbox: Mailbox, port: int, messages: int) -> Cost:
    """The whole command, its start included, with its processes that parse."""
    before = Receiver.puts
    with tempfile.TemporaryDirectory() as name:
        cost = run([*command(Path(name), mailbox, port, start="all"), "--once"])
    assert Receiver.puts - before == messages, f"{Receiver.puts - before} PUTs"
    return cost


def floor(mailbox: Mailbox) -> Cost:
    server = mailbox.server
    reader = [sys.executable, str(ROOT / "tests" / "bench" / "mail_reader.py")]
    return run([*reader, str(server.tls), str(server.ca), mailbox.user, PASSWORD])


def waited(mailbox: Mailbox, port: int, count: int) -> list[float]:
    """Seconds from the first byte of each APPEND until its PUT is there, one after another."""
    mailbox.uids()  # so that the mailbox is there
    with tempfile.TemporaryDirectory() as name:
        daemon = subprocess.Popen(command(Path(name), mailbox, port, start="now"), stderr=subprocess.DEVNULL)
        try:
            with mailbox.client() as client:
                _listening(mailbox)
                return [_one(client, number) for number in range(count)]
        finally:
            daemon.terminate()
            daemon.wait()


def _listening(mailbox: Mailbox) -> None:
    """Return when the daemon has looked, and hears: what came before its first look is none of its business."""
    drop_times()
    while Noted.times.empty():
        mailbox.put(letter(f"hello-{time.monotonic()}"))
        time.sleep(1)  # it is not to have much to read
    drop_times()


def drop_times() -> None:
    while not Noted.times.empty():
        Noted.times.get()


def _one(client: IMAPClient, number: int) -> float:
    started = time.monotonic()
    client.append("INBOX", letter(number, text=TEXT))
    return Noted.times.get(timeout=60) - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in (("--messages", 5_000), ("--runs", 4), ("--waited", 100)):
        parser.add_argument(name, type=int, default=value)
    wanted = parser.parse_args()
    if not available():
        print("mail: there is no Dovecot 2.3 here: apt-get install dovecot-imapd openssl")
        return
    with dovecot() as server, receiving() as port:
        compare(Mailbox(server, "full"), port, wanted.messages, wanted.runs)
        times = sorted(waited(Mailbox(server, "quiet"), port, wanted.waited))
    p50, p95 = (times[int(len(times) * share)] * 1e3 for share in (0.5, 0.95))
    print(f"APPEND to PUT by IDLE, {len(times)} messages: p50 {p50:.0f} ms, p95 {p95:.0f} ms (wanted ≤ 500)")
    print(f"load average {os.getloadavg()[0]:.1f}")


def compare(mailbox: Mailbox, port: int, messages: int, runs: int) -> None:
    mailbox.uids()  # so that the mailbox is there
    for number in range(messages):
        mailbox.store(letter(number, text=TEXT), name=f"{number:06}.M1P1.bench")
    sides: dict[str, list[Cost]] = {"IMAPClient, fetched alone": [], "cgsync run --once": []}
    for _ in range(runs):
        sides["IMAPClient, fetched alone"].append(floor(mailbox))
        sides["cgsync run --once"].append(whole(mailbox, port, messages))
    for name, costs in sides.items():
        wall, cpu = median(costs, "wall"), median(costs, "cpu")
        print(f"{name}: {messages / wall:,.0f} messages/s, {cpu / messages * 1e6:.0f} µs CPU each, "
              f"wall {spread(costs, 'wall')} s, peak {median(costs, 'peak') / 2**20:.0f} MiB")  # fmt: skip


if __name__ == "__main__":
    main()
