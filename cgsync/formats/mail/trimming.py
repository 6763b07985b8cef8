"""What somebody wrote, without the messages that they answer and without their signature."""

from __future__ import annotations

from collections.abc import Sequence

from cgsync.formats.mail.languages import WORDS, Words
from cgsync.formats.mail.model import MailOptions

LONGEST_ATTRIBUTION = 400
ATTRIBUTION_LINES = 3
HEADER_LINES = 8


def trimmed(text: str, options: MailOptions) -> str:
    """The text without what is not new in it; all of it where nothing would be left."""
    lines = text.split("\n")
    spoken = [WORDS[language] for language in options.languages]
    if options.quotes:
        lines = _without_quotes(lines, spoken)
    if options.signature:
        lines = _without_signature(lines, spoken)
    return "\n".join(lines).strip() or text.strip()


def _without_quotes(lines: Sequence[str], spoken: Sequence[Words]) -> list[str]:
    kept: list[str] = []
    number = 0
    while number < len(lines):
        size = _attribution(lines, number, spoken)
        if _begins_the_rest(lines, number + size, spoken, attributed=bool(size)):
            return _without_rule(kept)
        if not size and not lines[number].startswith(">"):
            kept.append(lines[number])
        number += size or 1
    return kept


def _begins_the_rest(lines: Sequence[str], number: int, spoken: Sequence[Words], *, attributed: bool) -> bool:
    """Whether nothing new can follow. Where lines are marked as quoted, the answer may stand below or in between."""
    if attributed:
        return not _next_is_quoted(lines, number)
    return _is_original(lines[number], spoken) or _is_header_block(lines, number, spoken)


def _without_rule(lines: list[str]) -> list[str]:
    """Some programs draw a line above what is quoted."""
    while lines and not lines[-1].strip("_-* \t"):
        lines.pop()
    return lines


def _next_is_quoted(lines: Sequence[str], number: int) -> bool:
    """Whether the first line with something in it is: then the answer may stand below or in between."""
    following = next((line for line in lines[number : number + HEADER_LINES] if line.strip()), "")
    return following.startswith(">")


def _attribution(lines: Sequence[str], number: int, spoken: Sequence[Words]) -> int:
    """How many lines "On Monday Ann wrote:" takes up here; 0: it does not stand here."""
    for end in range(number + 1, min(number + ATTRIBUTION_LINES, len(lines)) + 1):
        last = lines[end - 1].rstrip()
        if not last or last.startswith(">"):
            return 0
        if last.endswith(":"):
            return end - number if _attributes(lines[number:end], spoken) else 0
    return 0


def _attributes(lines: Sequence[str], spoken: Sequence[Words]) -> bool:
    said = _said(lines)
    if len(lines) == 1:
        return _begins_with_a_date(said, spoken) or _begins_with_a_sender(said, spoken)
    shorter = (_said(lines[start:]) for start in range(1, len(lines)))
    return _begins_with_a_date(said, spoken) and not any(_begins_with_a_date(each, spoken) for each in shorter)


def _said(lines: Sequence[str]) -> str:
    return " ".join(line.strip() for line in lines).casefold()


def _begins_with_a_date(said: str, spoken: Sequence[Words]) -> bool:
    return any(said.startswith(tuple(each.leads)) and _tells(said, each) for each in spoken)


def _begins_with_a_sender(said: str, spoken: Sequence[Words]) -> bool:
    return "@" in said and any(_tells(said, each) for each in spoken)


def _tells(said: str, words: Words) -> bool:
    """Whether somebody wrote something at a time."""
    if len(said) > LONGEST_ATTRIBUTION or not any(sign.isdigit() for sign in said):
        return False
    return not set(said.replace(":", " ").replace(",", " ").split()).isdisjoint(words.verbs)


def _is_original(line: str, spoken: Sequence[Words]) -> bool:
    """Whether it is "-----Original Message-----", or what stands for it."""
    if not line.startswith("--"):
        return False
    inside = line.strip("- \t\r").casefold()
    return any(inside in each.original for each in spoken)


def _is_header_block(lines: Sequence[str], number: int, spoken: Sequence[Words]) -> bool:
    """Whether "From: …" stands here, with two more lines of its kind and one of them a subject below."""
    first = _field(lines[number])
    return any(_heads(lines, number, each.fields) for each in spoken if each.fields[0] == first)


def _heads(lines: Sequence[str], number: int, fields: Sequence[str]) -> bool:
    found = {_field(line) for line in lines[number : number + HEADER_LINES]}
    return fields[-1] in found and len(found.intersection(fields)) >= 3


def _field(line: str) -> str:
    return line.lstrip("* \t")[:40].partition(":")[0].rstrip("* \t\xa0").casefold()


def _without_signature(lines: Sequence[str], spoken: Sequence[Words]) -> list[str]:
    devices = tuple(device for each in spoken for device in each.devices)
    kept: list[str] = []
    for line in lines:
        if line.rstrip() == "--" and any(each.strip() for each in kept):
            break
        kept.append(line)
    while kept and (not kept[-1].strip() or kept[-1].strip().casefold().startswith(devices)):
        kept.pop()
    return kept
