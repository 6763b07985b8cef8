"""Ninety mailboxes in which nothing happens, on one daemon: memory, CPU, threads and descriptors.

``python tests/bench/mail_idle.py [--mailboxes 90] [--seconds 60]``
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "plugins")]

from tests.e2e.installation import Site, eventually, site  # noqa: E402 - a program: its folders come first
from tests.plugins.imap.dovecot import PASSWORD, Dovecot, available, dovecot  # noqa: E402 - the same

SOURCES = """\
  {name}:
    every: 5m
    imap:
      host: 127.0.0.1
      port: {server.tls}
      tls: {{ ca: {server.ca} }}
      password: {password}
      accounts: [{accounts}]
    as: mail
    activity:
      account: "{{{{ mail.from.domain }}}}"
      type: Email
      source: Support
      happened_at: "{{{{ mail.internaldate }}}}"
"""
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What a process holds, and the CPU time (seconds) that it took so far."""

    memory: int
    cpu: float
    threads: int
    descriptors: int

    @classmethod
    def of(cls, pid: int) -> Use:
        status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        times = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return cls(
            memory=int(status["VmRSS"].split()[0]) * 1024,
            cpu=(int(times[11]) + int(times[12])) / TICKS,
            threads=int(status["Threads"]),
            descriptors=sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir()),
        )


def entry(server: Dovecot, users: Sequence[str]) -> str:
    return SOURCES.format(name="support", server=server, password=PASSWORD, accounts=", ".join(users))


def measure(made: Site, server: Dovecot, mailboxes: int, seconds: float) -> tuple[Use, float]:
    """What the daemon uses with so many mailboxes, and its CPU seconds in a minute."""
    made.write(sources=entry(server, [f"idle{number}" for number in range(mailboxes)]))
    daemon = made.running()
    eventually(lambda: [each["condition"] for each in made.json("status")["sources"]].count("idle") == mailboxes)
    before, started = Use.of(daemon.pid), time.monotonic()
    time.sleep(seconds)  # what is measured is what it does in this time
    after, took = Use.of(daemon.pid), time.monotonic() - started
    daemon.terminate()
    daemon.wait(30)
    return after, (after.cpu - before.cpu) * 60 / took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mailboxes", type=int, default=90)
    parser.add_argument("--seconds", type=float, default=60.0)
    wanted = parser.parse_args()
    if not available():
        print("mail_idle: left out, no Dovecot 2.3 here: apt-get install dovecot-imapd openssl")
        return
    found = []
    with dovecot() as server:
        for mailboxes in (1, wanted.mailboxes):
            with tempfile.TemporaryDirectory() as folder, site(Path(folder)) as made:
                use, cpu = measure(made, server, mailboxes, wanted.seconds)
            print(f"{mailboxes} idle mailboxes: {use.memory / 2**20:.0f} MiB, {cpu:.2f} s CPU a minute, "
                  f"{use.threads} threads, {use.descriptors} descriptors")  # fmt: skip
            found.append(use)
    each = (found[1].memory - found[0].memory) / (wanted.mailboxes - 1)
    print(f"each mailbox: {each / 2**20:.2f} MiB more")


if __name__ == "__main__":
    main()
