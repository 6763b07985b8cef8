"""From the mailbox to the receiver: each message once, at once, whatever it is and whenever the daemon is killed."""

from __future__ import annotations

import json
import random
import signal
import time
from pathlib import Path

import pytest

from tests.e2e import mail
from tests.e2e.installation import Site, eventually
from tests.e2e.launching import Process
from tests.e2e.mail import reference
from tests.e2e.pulse import LONGEST, Pulse
from tests.faults.verdict import count
from tests.formats import letters
from tests.formats.test_format_mail_strangers import MIXED, REPEATED, nested
from tests.plugins.imap.mailbox import Mailbox, letter, with_files
from tests.ports import free_port

pytestmark = pytest.mark.timeout(1800)

MESSAGES = count(tests=400, faults=5_000)
KILLS = count(tests=3, faults=20)
EACH = count(tests=40, faults=200)
"""Messages between two kills."""
SIZE = count(tests=2**16, faults=2**20)
"""Bytes of a hostile message."""


def kill(process: Process) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait(10)


def end(process: Process) -> None:
    process.terminate()
    assert process.wait(60) == 0


def references(*numbers: int) -> set[str]:
    return {reference(number) for number in numbers}


def test_each_message_of_a_mailbox_is_sent_once_and_says_where_it_lies(site: Site, mailbox: Mailbox) -> None:
    mailbox.fill(MESSAGES)
    site.write(sources=mail.source(mailbox))
    process = site.running()
    eventually(lambda: site.sandbox.stats["created"] == MESSAGES, within=600)
    end(process)
    everything = references(*range(1, MESSAGES + 1))
    assert sorted(put["reference"] for put in site.sandbox.log()) == sorted(everything)
    assert set(site.sandbox.activities) == everything
    site.balances()
    (uid,) = mailbox.uids("INBOX", "HEADER", "Message-ID", "<7@acme.example>")
    assert f"INBOX uid {uid} of {mailbox.user}\n" in site.run("explain", reference(7)).stdout


def test_kill_9_in_the_middle_of_a_mailbox_loses_and_doubles_nothing(site: Site, mailbox: Mailbox) -> None:
    chance = random.Random(4)
    mailbox.fill(MESSAGES)
    site.write(sources=mail.source(mailbox))
    in_the_middle = 0
    for _ in range(KILLS):
        process = site.running()
        time.sleep(chance.uniform(0, 1))  # the random instant itself is what is tried here
        kill(process)
        in_the_middle += len(mail.stored(site)) < MESSAGES
    assert in_the_middle >= KILLS / 2
    site.run("run", "--once")
    assert set(site.sandbox.activities) == references(*range(1, MESSAGES + 1))
    assert site.sandbox.stats["created"] == MESSAGES
    site.balances()


def test_a_message_is_brought_by_the_servers_word_alone(site: Site, mailbox: Mailbox) -> None:
    """The schedule would bring it in an hour."""
    mailbox.put(letter("old"))
    site.write(sources=mail.source(mailbox, start="now", every="1h"))
    site.running()
    eventually(lambda: mail.position(site))
    for number in range(1, 4):
        mailbox.put(letter(number))
        eventually(lambda: reference(number) in site.sandbox.activities)  # noqa: B023 - it is asked here and now
    assert [put["reference"] for put in site.sandbox.log()] == [reference(number) for number in range(1, 4)]


@pytest.mark.parametrize("after", ["{ flag: [$cgsync] }", "{ move: Done }"])
def test_only_what_is_stored_is_touched_whenever_it_is_killed(site: Site, mailbox: Mailbox, after: str) -> None:
    chance = random.Random(5)
    mailbox.create("Done")
    mailbox.put(letter("robot", Auto_Submitted="auto-replied"), letter("large", text="A long story.\n" * 1000))
    limits = "limits: { message: 10KiB, too_large: reject }"
    site.write(sources=mail.source(mailbox, f"after: {after}", limits))
    for before in range(0, EACH * KILLS, EACH):
        for number in range(before + 1, before + EACH + 1):
            mailbox.deliver(number)
        process = site.running()
        eventually(lambda: len(mail.stored(site)) > before)  # noqa: B023 - it is asked here and now
        time.sleep(chance.uniform(0, 0.05))  # as above
        kill(process)
        assert set(touched(mailbox)) <= mail.stored(site)
    site.running()
    everything = references(*range(1, EACH * KILLS + 1))
    eventually(lambda: set(touched(mailbox)) == everything)
    assert sorted(touched(mailbox)) == sorted(everything), "a message was copied twice"
    eventually(lambda: set(site.sandbox.activities) == everything)
    assert set(mail.held(mailbox)) - set(touched(mailbox)) == {reference("robot"), reference("large")}


def touched(mailbox: Mailbox) -> list[str]:
    return mail.held(mailbox, "INBOX", "KEYWORD", "$cgsync") + mail.held(mailbox, "Done")


def test_a_file_that_is_named_to_the_receiver_is_there_whenever_it_is_killed(site: Site, mailbox: Mailbox) -> None:
    chance = random.Random(6)
    contents = {number: chance.randbytes(50_000) for number in range(EACH)}
    mailbox.put(*(with_files(("a.bin", content), number=number) for number, content in contents.items()))
    kept = site.folder / "kept"
    names = '        file: "{{ mail.attachments[0].saved }}"\n'
    site.write(sources=mail.source(mailbox, f"attachments: {{ save: {kept} }}") + names)
    for _ in range(KILLS):
        process, before = site.running(), len(list(kept.rglob("*.bin")))
        eventually(lambda: before == EACH or len(list(kept.rglob("*.bin"))) > before)  # noqa: B023 - it is asked here and now
        time.sleep(chance.uniform(0, 0.1))  # the random instant itself is what is tried here
        kill(process)
        assert all(saved(site, kept).values())
    site.run("run", "--once")
    assert saved(site, kept) == {reference(number): content for number, content in contents.items()}
    site.balances()


def saved(site: Site, kept: Path) -> dict[str, bytes]:
    """What lies in the file that each activity names."""
    bodies = {name: json.loads(entry["body"]) for name, entry in site.sandbox.activities.items()}
    named = {name: body["additional_information_object"]["file"] for name, body in bodies.items()}
    return {each: (kept / name).read_bytes() for each, name in named.items()}


HOSTILE = {
    **{
        name: letters.letter(header, body=repeated * (SIZE // len(repeated)))
        for name, (header, repeated) in REPEATED.items()
    },
    "parts": letters.letter(MIXED, body="--b\nContent-Type: a/b\n\nhi\n" * (SIZE // 10)),
    "levels": nested(SIZE // 10),
    "commas": letters.letter("To: " + "," * SIZE),
    "charset": letters.letter("Content-Type: text/plain; charset=no-such", body=b"\xff\xfe\x00"),
    "subject": letters.letter("Subject: " + "=?utf-16?B?2AA=?= " * (SIZE // 20)),
    "terminal": letters.letter("Subject: \x1b[2J\x07", body="\x1b]0;owned\x07"),
    "template": letters.letter("Subject: {{ 7*7 }}", body="{% raw %}"),
}
"""Shapes that have cost parsers hours or their lives; all of them are messages."""
BAD = {
    "no header": (b"%PDF-1.7\n", "does not begin with a header"),
    "no sender": (b"Subject: hello\nMessage-ID: <none@acme.example>\n\nhi", "account"),
    "no name": (letters.letter(), "reference"),
    "too large": (letters.letter("Message-ID: <large@acme.example>", body="x" * 9 * 2**20), "limits: message"),
}
"""What cannot be an activity, and a word of the reason."""


def test_hostile_messages_hold_up_neither_the_good_ones_nor_the_loop(site: Site, mailbox: Mailbox) -> None:
    mailbox.uids()  # so that the mailbox is there
    for number, (name, raw) in enumerate(HOSTILE.items()):
        mailbox.store(named(raw, name), name=f"{number:03}.M1P1.hostile")
        mailbox.store(letter(f"behind-{number}"), name=f"{number:03}.M2P1.good")
    for number, (raw, _) in enumerate(BAD.values()):
        mailbox.store(raw, name=f"{number:03}.M3P1.bad")
    port = free_port()
    limits = "limits: { message: 8MiB, too_large: reject }"
    site.write(sources=mail.source(mailbox, limits), top=f"web: {{ listen: '127.0.0.1:{port}' }}\n")
    process = site.running()
    expected = {reference(f"behind-{number}") for number in range(len(HOSTILE))}
    expected |= {f"mail-{slug(name)}@hostile.example" for name in HOSTILE}
    with Pulse(process.pid, port) as pulse:
        eventually(lambda: len(site.sandbox.activities) >= len(expected), within=200)
    assert set(site.sandbox.activities) == expected
    print(
        f"loop held for {pulse.longest * 1e3:.0f} ms, slowest answer {pulse.slowest * 1e3:.0f} ms, {pulse.beats} beats"
    )
    assert pulse.beats > 10
    assert pulse.longest < LONGEST
    reasons = sorted(str(each["reasons"]) for each in site.json("rejects", "list", "--each"))
    assert len(reasons) == len(BAD)
    for _, word in BAD.values():
        assert any(word in reason for reason in reasons), (word, reasons)


def slug(name: str) -> str:
    return name.replace(" ", "-")


def named(raw: bytes, name: str) -> bytes:
    return f"Message-ID: <{slug(name)}@hostile.example>\n".encode() + raw
