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
        line = lines[number]
        if line.startswith(">"):
            number += 1
        elif size := _attribution(lines, number, spoken):
            number += size
            if not _next_is_quoted(lines, number):
                break
        elif _is_original(line, spoken) or _is_header_block(lines, number, spoken):
            break
        else:
            kept.append(line)
            number += 1
    return kept


def _next_is_quoted(lines: Sequence[str], number: int) -> bool:
    """Whether the first line with something in it is: then the answer may stand below or in between."""
    following = next((line for line in lines[number : number + HEADER_LINES] if line.strip()), "")
    return following.startswith(">")


def _attribution(lines: Sequence[str], number: int, spoken: Sequence[Words]) -> int:
    """How many lines "On Monday Ann wrote:" takes up here; 0: it does not stand here."""
    if not lines[number].strip():
        return 0
    for size in range(1, ATTRIBUTION_LINES + 1):
        last = lines[number + size - 1 : number + size]
        if not last or not last[0].strip() or last[0].startswith(">"):
            return 0
        if last[0].rstrip().endswith(":"):
            said = " ".join(line.strip() for line in lines[number : number + size])
            return size if _attributes(said, spoken) else 0
    return 0


def _attributes(said: str, spoken: Sequence[Words]) -> bool:
    if len(said) > LONGEST_ATTRIBUTION:
        return False
    low = said.casefold()
    words = set(low.replace(":", " ").replace(",", " ").split())
    dated = any(sign.isdigit() for sign in low)
    return any(
        not words.isdisjoint(each.verbs) and ((dated and low.startswith(tuple(each.leads))) or ("@" in low and dated))
        for each in spoken
    )


def _is_original(line: str, spoken: Sequence[Words]) -> bool:
    """Whether it is "-----Original Message-----", or what stands for it."""
    if not line.startswith("--"):
        return False
    inside = line.strip("- \t\r").casefold()
    return any(inside in each.original for each in spoken)


def _is_header_block(lines: Sequence[str], number: int, spoken: Sequence[Words]) -> bool:
    """Whether "From: …" stands here, with two more lines of its kind and one of them a subject below."""
    return any(_heads(lines, number, each.fields) for each in spoken)


def _heads(lines: Sequence[str], number: int, fields: Sequence[str]) -> bool:
    if _field(lines[number]) != fields[0]:
        return False
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
