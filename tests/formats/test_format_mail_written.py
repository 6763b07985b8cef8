"""What a program wrote by all the rules is read as it was meant: the standard library's writer is asked.

It may not fold addresses here: where it does, it loses blanks between encoded words.
"""

from __future__ import annotations

import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.formats.letters import data

LETTERS = "abz XYZ 09 äßÉñ привет 你好 🙂€ ,.;:()[]<>'\"\\/-_+=?&%#!"
words = st.text(LETTERS, min_size=1, max_size=40).map(lambda text: " ".join(text.split()))
names = words.filter(
    lambda name: name.isprintable() and bool(name) and name == name.strip(", ") and not re.search("@|=[?]", name)
)
locals_ = st.from_regex(r"[a-z][a-z0-9.+_-]{0,20}[a-z0-9]", fullmatch=True).filter(lambda name: ".." not in name)
people = st.builds(lambda name, local: Address(name, local, "acme.example"), names, locals_)
lines = st.lists(words.filter(lambda line: "\r" not in line), min_size=1, max_size=8).map("\n".join)
files = st.tuples(names.filter(lambda name: set(name).isdisjoint('/\\"')), st.binary(max_size=200))


def written(text: str, markup: str | None, attached: list[tuple[str, bytes]], **headers: object) -> bytes:
    message = EmailMessage(policy=SMTP)
    for name, value in headers.items():
        message[name] = value
    message.set_content(text)
    if markup is not None:
        message.add_alternative(markup, subtype="html")
    for name, content in attached:
        message.add_attachment(content, maintype="application", subtype="x-test", filename=name)
    return message.as_bytes(policy=SMTP.clone(max_line_length=10_000) if headers else SMTP)


@settings(max_examples=100)
@given(sender=people, receivers=st.lists(people, min_size=1, max_size=4), subject=names)
def test_names_addresses_and_subjects(sender: Address, receivers: list[Address], subject: str) -> None:
    found = data(written("x", None, [], From=sender, To=receivers, Subject=subject))
    assert [(each["name"], each["address"]) for each in [found["from"], *found["to"]]] == [
        (each.display_name, each.addr_spec) for each in [sender, *receivers]
    ]
    assert found["subject"] == subject


@settings(max_examples=100)
@given(text=lines, markup=st.none() | lines, attached=st.lists(files, max_size=3))
def test_texts_and_attachments(text: str, markup: str | None, attached: list[tuple[str, bytes]]) -> None:
    text = f"{text}\nThis text is long enough to be more than a hint."
    found = data(written(text, markup, attached))
    assert found["text"] == text.strip("\n")
    assert (found["html"] or "").strip("\n") == (markup or "").strip("\n")
    assert [(each["name"], each["size"]) for each in found["attachments"]] == [
        (name, len(content)) for name, content in attached
    ]
