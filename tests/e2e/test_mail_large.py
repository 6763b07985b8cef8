"""A mailbox with very many messages, and one very large message: found at once, and never all in memory."""

from __future__ import annotations

import base64
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import mail
from tests.e2e.installation import Site, eventually
from tests.e2e.installation import site as made
from tests.e2e.mail import reference
from tests.e2e.pulse import LONGEST, Pulse
from tests.faults.verdict import count
from tests.formats import letters
from tests.plugins.imap.mailbox import Mailbox, letter
from tests.ports import free_port

pytestmark = pytest.mark.timeout(1800)

MESSAGES = count(tests=1_000, faults=160_000)
FIRST = count(tests=100, faults=1_500)
LARGE = count(tests=4, faults=50) * 2**20
"""Bytes of one message."""
MOST = 150 * 2**20
"""Bytes of memory that the daemon's process may take at its peak."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """One whose daemon has imported what it needs, and nothing else: its memory counts."""
    with made(tmp_path) as running:
        yield running


def peak(pid: int) -> int:
    """Bytes of memory that the process ever had at once."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024


def attached(name: str, size: int) -> bytes:
    """A letter with a photograph; about that many bytes in all."""
    content = base64.encodebytes(random.Random(1).randbytes(size * 3 // 4))
    photo = letters.part(content, "Content-Type: image/png", "Content-Transfer-Encoding: base64")
    both = letters.multipart("mixed", letters.part("See what is attached."), photo)
    return letters.message(both, f"Message-ID: <{name}@acme.example>")


def test_a_new_message_is_found_behind_very_many_old_ones(site: Site, mailbox: Mailbox) -> None:
    mailbox.fill(MESSAGES)
    site.write(sources=mail.source(mailbox, start="now"))
    started = time.monotonic()
    process = site.running()
    eventually(lambda: mail.position(site).get("low") == MESSAGES, within=600)
    opened = time.monotonic() - started
    mailbox.put(letter("new"))
    put = time.monotonic()
    eventually(lambda: reference("new") in site.sandbox.activities)
    print(
        f"{MESSAGES} messages: looked at {opened:.1f} s after the start, a new one is there after "
        f"{(time.monotonic() - put) * 1e3:.0f} ms, peak {peak(process.pid) / 2**20:.0f} MiB"
    )
    assert site.sandbox.stats["puts"] == 1
    assert peak(process.pid) < MOST


def test_the_first_of_very_many_messages_do_not_wait_for_the_last(site: Site, mailbox: Mailbox) -> None:
    mailbox.fill(MESSAGES)
    site.write(sources=mail.source(mailbox))
    started = time.monotonic()
    process = site.running()
    eventually(lambda: site.sandbox.stats["created"])
    first = time.monotonic() - started
    eventually(lambda: site.sandbox.stats["created"] >= FIRST)
    print(
        f"{MESSAGES} messages: the first is there {first:.1f} s after the start, {FIRST} after "
        f"{time.monotonic() - started:.1f} s, peak {peak(process.pid) / 2**20:.0f} MiB"
    )
    assert peak(process.pid) < MOST
    assert set(site.sandbox.activities) <= mail.stored(site)


@pytest.mark.parametrize(("limit", "attachments"), [("1MiB", 0), ("64MiB", 1)])
def test_a_very_large_message_is_a_record_of_its_headers_or_of_all_of_it(
    site: Site, mailbox: Mailbox, limit: str, attachments: int
) -> None:
    mailbox.put(letter("before"))
    mailbox.store(attached("large", LARGE), name="2.M1P1.large")
    port = free_port()
    source = mail.source(mailbox, f"limits: {{ message: {limit} }}").replace(
        "mail.trimmed | truncate(2000)", "mail.attachments | length"
    )
    site.write(sources=source, top=f"web: {{ listen: '127.0.0.1:{port}' }}\n")
    process = site.running()
    with Pulse(process.pid, port) as pulse:
        eventually(lambda: reference("large") in site.sandbox.activities)
        mailbox.put(letter("behind"))
        eventually(lambda: reference("behind") in site.sandbox.activities)
    print(
        f"{LARGE / 2**20:.0f} MiB, limit {limit}: loop held for {pulse.longest * 1e3:.0f} ms, "
        f"slowest answer {pulse.slowest * 1e3:.0f} ms, peak {peak(process.pid) / 2**20:.0f} MiB"
    )
    assert pulse.longest < LONGEST
    assert f'"text":{attachments}' in site.sandbox.activities[reference("large")]["body"]
