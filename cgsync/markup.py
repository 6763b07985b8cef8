"""The text of HTML, in one pass that never goes back.

Building the tree that HTML's rules ask for takes a time that grows with the square of what is left open: 64 KiB of
nested lists hold the loop for half a second. Text needs no tree, only where a tag ends and which tags end a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

LINE = "\x1e"
"""Stands for the end of a line until the end: white space inside a block means nothing."""
BLOCKS = frozenset((
    "address", "article", "blockquote", "br", "dd", "div", "dl", "dt", "fieldset", "footer", "form", "h1", "h2", "h3",
    "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table", "tr", "ul",
))  # fmt: skip
CELLS = frozenset(("td", "th"))
HIDDEN = {
    name: re.compile(rf"</{name}", re.ASCII | re.IGNORECASE)
    for name in ("noscript", "script", "style", "template", "textarea", "title")
}
NAME = re.compile(r"</?([A-Za-z][A-Za-z0-9]*)", re.ASCII)
STOP = re.compile(r"[>\"']")


def text_of(markup: str) -> str:
    """What a reader would see: no tags, comments, scripts or styles; one line a block."""
    shown = "".join(_pieces(markup.replace(LINE, " ")))
    lines = (" ".join(line.split()) for line in shown.split(LINE))
    return "\n".join(line for line in lines if line)


def _pieces(markup: str) -> Iterator[str]:
    at = 0
    while (start := markup.find("<", at)) >= 0:
        yield unescape(markup[at:start])
        name = NAME.match(markup, start)
        if name is not None:
            tag = name[1].lower()
            yield LINE if tag in BLOCKS else " " if tag in CELLS else ""
            at = _after_tag(markup, start, tag)
        elif markup.startswith(("<!", "<?", "</"), start):
            at = _after_comment(markup, start)
        else:
            yield "<"
            at = start + 1
    yield unescape(markup[at:])


def _after_tag(markup: str, start: int, tag: str) -> int:
    end = _tag_end(markup, start)
    if tag in HIDDEN and markup[start + 1] != "/":
        closing = HIDDEN[tag].search(markup, end)
        return closing.start() if closing else len(markup)
    return end


def _tag_end(markup: str, start: int) -> int:
    """Where the tag is over; a ``>`` inside a quoted value is none. A quote that never ends is taken for a letter."""
    at = start
    while found := STOP.search(markup, at):
        at = found.end()
        if found[0] == ">":
            return at
        if markup[found.start() - 1] == "=":
            closing = markup.find(found[0], at)
            at = closing + 1 if closing >= 0 else at
    return len(markup)


def _after_comment(markup: str, start: int) -> int:
    mark = "-->" if markup.startswith("<!--", start) else ">"
    end = markup.find(mark, start + 2)
    return end + len(mark) if end >= 0 else len(markup)
