"""What commands print: tables on a terminal, plain lines in a pipe, JSON when asked."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import click
import msgspec

MOST = 200
"""Characters that are shown of one value where it is to stay on its line; `--json` has all of it."""


def is_terminal() -> bool:
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def colors() -> bool:
    return is_terminal() and not os.environ.get("NO_COLOR")


def as_json(value: Any) -> None:
    text = msgspec.json.encode(value, enc_hook=str)
    click.echo(msgspec.json.format(text, indent=2) if is_terminal() else text)


def rows(items: Sequence[Mapping[str, Any]], columns: Sequence[str], *, empty: str) -> None:
    """One line an item: a table for people, tab-separated with a header in a pipe."""
    if not items:
        click.echo(empty, err=not is_terminal())
        return
    cells = [[plain(item.get(column)) for column in columns] for item in items]
    if is_terminal():
        _table(columns, cells)
        return
    for line in [list(columns), *cells]:
        click.echo("\t".join(cell.replace("\n", "\\n") for cell in line))


def _table(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for line in cells:
        table.add_row(*(Text(cell) for cell in line))
    Console(no_color=not colors()).print(table)


def fields(values: Mapping[str, Any]) -> None:
    """``name  value`` lines of one thing; empty values are left out."""
    shown = {name: plain(value) for name, value in values.items() if value not in (None, "", [], {})}
    width = max(map(len, shown), default=0)
    for name, text in shown.items():
        first, *more = text.splitlines() or [""]
        click.echo(f"{name:<{width}}  {first}")
        for line in more:
            click.echo(f"{'':<{width}}  {line}")


def moment(text: str | None) -> str:
    """A time as people read it: local, to the second; JSON keeps the exact one."""
    return f"{datetime.fromisoformat(text).astimezone():%Y-%m-%d %H:%M:%S}" if text else ""


def tried(attempt: Mapping[str, Any]) -> list[str]:
    """A request without success: when, which version, its outcome, the answer. Many words begin with the status."""
    status, words = short(attempt["status"]), short(attempt["reason"])
    answer = words if words.startswith(status) else f"{status} {words}"
    return [moment(attempt["at"]), f"version {attempt['version']}", attempt["outcome"], answer]


def short(value: Any) -> str:
    """A value on one line, cut where it is long."""
    text = plain(value).replace("\n", "\\n")
    return text if len(text) <= MOST else f"{text[:MOST]}… ({len(text):,} characters)"


def plain(value: Any) -> str:
    """One value as text in which nothing can move a terminal's cursor."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = value if isinstance(value, str) else _structured(value)
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def _structured(value: Any) -> str:
    if isinstance(value, Mapping | list | tuple):
        return msgspec.json.encode(value, enc_hook=str).decode()
    return str(value)
