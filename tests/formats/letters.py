"""Messages for tests, and what is made of them here and now."""

from __future__ import annotations

from typing import Any

from cgsync.formats import Mail, MailOptions
from cgsync.formats.mail.message import read


def letter(*headers: str | bytes, body: str | bytes = "Good morning\n") -> bytes:
    """A message with these headers after its From; a name that is given again comes twice."""
    lines = [b"From: Ann <ann@acme.example>", *(each if isinstance(each, bytes) else each.encode() for each in headers)]
    return b"\n".join([*lines, b"", body if isinstance(body, bytes) else body.encode()])


def multipart(kind: str, *parts: bytes, boundary: str = "edge") -> bytes:
    """The part itself, with its headers; of a whole message the end."""
    inner = b"".join(b"--" + boundary.encode() + b"\n" + part + b"\n" for part in parts)
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"\n\n'.encode()
    return head + inner + b"--" + boundary.encode() + b"--\n"


def message(part: bytes, *headers: str) -> bytes:
    """A part as a message."""
    return "\n".join(["From: ann@acme.example", *headers, ""]).encode() + part


def part(content: str | bytes, *headers: str) -> bytes:
    return (
        "".join(f"{each}\n" for each in headers).encode()
        + b"\n"
        + (content if isinstance(content, bytes) else content.encode())
    )


def mail(raw: bytes, options: MailOptions | None = None) -> Mail:
    return Mail(**read(raw, options or MailOptions()))


def data(raw: bytes, options: MailOptions | None = None) -> Any:
    return mail(raw, options).data
