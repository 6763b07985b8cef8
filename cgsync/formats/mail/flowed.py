"""Text that was broken into lines only for its journey (format=flowed, RFC 3676)."""

from __future__ import annotations

from collections.abc import Iterator


def unflowed(text: str, *, delete_space: bool) -> str:
    """The paragraphs on one line each, quoted ones with their depth in front."""
    return "\n".join(_paragraphs(text, delete_space=delete_space))


def _paragraphs(text: str, *, delete_space: bool) -> Iterator[str]:
    pieces: list[str] = []
    depth = 0
    for line in text.split("\n"):
        content = line.lstrip(">")
        level = len(line) - len(content)
        content = content.removeprefix(" ")  # put there so that the line does not look like another
        if pieces and level != depth:
            yield _quoted(depth, pieces)
            pieces = []
        depth = level
        flows = content.endswith(" ") and content != "-- "
        pieces.append(content[:-1] if flows and delete_space else content)
        if not flows:
            yield _quoted(depth, pieces)
            pieces = []
    if pieces:
        yield _quoted(depth, pieces)


def _quoted(depth: int, pieces: list[str]) -> str:
    return f"{'>' * depth} {''.join(pieces)}" if depth else "".join(pieces)
