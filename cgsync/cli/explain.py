"""The verb that tells what became of one reference, the most important first."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from cgsync.cli import output
from cgsync.cli.options import config_option, json_option
from cgsync.cli.session import Session
from cgsync.clock import span

VALUES = 28
"""Columns of values beside their expressions, on a terminal."""
OBJECT = ("additional_information_object.", "additional_information_array.")
HEADLINES = {
    "pending": "pending: version {version} is not at CustomerGauge yet",
    "held": "held: version {version} is not sent before it is released",
    "refused": "refused: CustomerGauge does not take version {version}",
    "dropped": "given up: version {version} is not sent",
}


@click.command()
@click.argument("reference")
@config_option
@json_option
def explain(reference: str, config: Path, as_json: bool) -> None:
    """Tell what became of one REFERENCE: how far it came, what it waits for, and where each field comes from.

    The key of its record will do. For one that was never stored: what was rejected or forgotten of it, or else
    references that are like it.
    """
    found = Session(config).carry("explain", reference=reference)
    if as_json:
        output.as_json(found)
    else:
        _print(_stored(found) if "version" in found else _never_stored(found))
    sys.exit(1 if found["state"] == "unknown" else 0)


def _print(lines: Iterator[str]) -> None:
    for line in lines:
        click.echo(line if output.colors() else click.unstyle(line))


def _stored(found: Mapping[str, Any]) -> Iterator[str]:
    yield _title(found["reference"], _headline(found))
    yield from _delivered(found)
    yield from _sentences(found["waits"])
    for reject in found["rejects"]:
        yield from _reject(reject)
    yield from _tries(found["tries"])
    yield from _section("fields", _fields(found["fields"]))
    yield from _section("origin", _columns(_origin(found)))
    if found["notes"]:
        yield from _section("note", _sentences(found["notes"]))


def _never_stored(found: Mapping[str, Any]) -> Iterator[str]:
    name = found["reference"]
    if found["state"] == "forgotten":
        yield _title(
            name, f"forgotten at {output.moment(found['forgotten_at'])}; what the source has of it is not stored"
        )
    elif found["state"] == "rejected":
        yield _title(name, "never became an activity")
    else:
        yield _title(name, "unknown: nothing of that reference was stored, rejected or forgotten")
        yield "  · it was not read yet, the source left it out, or `when:` of its mapping did"
        yield "    → `cgsync status` shows how far each source is, `cgsync preview SOURCE` what becomes of its records"
    for reject in found["rejects"]:
        yield from _reject(reject)
    if found["near"]:
        yield from _section("known references like it", (f"  {output.plain(near)}" for near in found["near"]))


def _headline(found: Mapping[str, Any]) -> str:
    if found["state"] == "delivered":
        return f"delivered at {output.moment(found['delivered_at'])}"
    return HEADLINES[found["state"]].format(version=found["version"])


def _delivered(found: Mapping[str, Any]) -> Iterator[str]:
    """What CustomerGauge has."""
    if found["delivered_at"] is None:
        return
    told = {name: value for name, value in (found["answer"] or {}).items() if name != "reference"}
    answer = ", ".join(f"{output.plain(name)} {output.short(value)}" for name, value in told.items())
    answered = f", answered with {answer}" if answer else ""
    if found["state"] == "delivered":
        yield f"  · version {found['delivered_version']} is at CustomerGauge{answered}"
    else:
        when = output.moment(found["delivered_at"])
        yield f"  · version {found['delivered_version']} is there since {when}{answered}"


def _sentences(sentences: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for each in sentences:
        left = "" if each["seconds"] is None else f" {span(each['seconds'])}"
        yield f"  · {output.plain(each['words'])}{left}"
        if each["hint"]:
            yield _dim(f"    → {output.plain(each['hint'])}")


def _reject(reject: Mapping[str, Any]) -> Iterator[str]:
    """A verdict: theirs, or our own."""
    who = "refused by CustomerGauge" if reject["kind"] == "refused" else f"rejected by cgsync as {reject['kind']}"
    times = f", {reject['times']} times since {output.moment(reject['first_at'])}" if reject["times"] > 1 else ""
    where = output.plain(f"{reject['source']}, {reject['position']}")
    yield from _section(f"{who} at {output.moment(reject['at'])}{times}", _columns(reject["reasons"]))
    if reject["dropped_at"]:
        yield f"  given up at {output.moment(reject['dropped_at'])}: {output.plain(reject['dropped_why'])}"
    yield _dim(f"  → {where}; `cgsync rejects show {reject['id']}`")


def _tries(tries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The last requests that were no success, newest first."""
    lines = [output.tried(one) for one in tries]
    if lines:
        widths = [*[max(map(len, column)) for column in zip(*lines, strict=True)][:-1], 0]
        shown = ("  " + "  ".join(map(str.ljust, line, widths)) for line in lines)
        yield from _section("attempts without success, the last first", shown)


def _fields(fields: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Each field: its value, the expression, and what that found in the record."""
    names = list(_indented([output.plain(one["field"]) for one in fields]))
    width = max((len(name) for _, name in names), default=0)
    values = [output.short(one["value"]) or "-" for one in fields]
    column = min(VALUES, max(map(len, values), default=0))
    for (heading, name), value, one in zip(names, values, fields, strict=True):
        if heading:
            yield f"  {heading}"
        yield from _field(f"  {name:<{width}}", value, _made(one), column)


def _field(name: str, value: str, made: str, column: int) -> Iterator[str]:
    """On one line where it fits."""
    line = f"{name}  {value:<{column}}  {_dim(made)}"
    if not output.is_terminal() or len(click.unstyle(line)) <= shutil.get_terminal_size().columns:
        yield line.rstrip()
    else:
        yield f"{name}  {value}"
        yield f"{'':<{len(name)}}    {_dim(made)}"


def _indented(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The fields within an object below its name, which would push everything else aside."""
    known = ""
    for name in names:
        within = next((prefix for prefix in OBJECT if name.startswith(prefix)), "")
        yield (within[:-1] if within != known else ""), ("  " if within else "") + name.removeprefix(within)
        known = within


def _made(field: Mapping[str, Any]) -> str:
    if field["expression"] is None:
        return ""
    if field["constant"]:
        return "← as written in the mapping"
    found = [
        f"{one['path']}: {output.short(one['value']) if one['found'] else 'not there'}" for one in field["origins"]
    ]
    if field["value"] is not None and [one["value"] for one in field["origins"]] == [field["value"]]:
        found = []  # it stands beside it
    return f"← {output.short(field['expression'])}" + (f"   {output.plain(', '.join(found))}" if found else "")


def _origin(found: Mapping[str, Any]) -> Mapping[str, Any]:
    since = f", at work since {output.moment(found['mapped_first_at'])}" if found["mapped_first_at"] else ""
    owner = f", first used by {found['owner']}" if found["owner"] != found["source"] else ""
    return {
        "source": f"{found['source']}{owner}",
        "record": found["record_key"],
        "revision": found["revision"],
        "position": found["position"],
        "first read": output.moment(found["first_at"]),
        "version": f"{found['version']}, stored at {output.moment(found['stored_at'])}",
        "mapping": f"{found['mapping_version']}{since}",
    }


def _columns(values: Mapping[str, Any]) -> Iterator[str]:
    shown = {output.plain(name): output.short(value) for name, value in values.items() if value not in (None, "")}
    width = max(map(len, shown), default=0)
    return (f"  {name:<{width}}  {text}".rstrip() if name else f"  {text}" for name, text in shown.items())


def _section(title: str, lines: Iterator[str]) -> Iterator[str]:
    shown = list(lines)
    if shown:
        yield ""
        yield click.style(title, bold=True)
        yield from shown


def _title(reference: str, words: str) -> str:
    return f"{click.style(output.plain(reference), bold=True)}  {words}"


def _dim(text: str) -> str:
    return click.style(text, dim=True) if text else ""
