"""The text of a first configuration, with the comments that somebody needs who has never seen one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from textwrap import shorten

from cgsync.plugins.describing import Option
from cgsync.plugins.vocabulary import typed

PLAIN = re.compile(r"[A-Za-z0-9_./~$+]([A-Za-z0-9_./~$@+:{}-]*[A-Za-z0-9_./~$@+}-])?")
"""what needs no quotes outside of braces"""
LONGEST = 80
"""Characters of a description that stand behind an option."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is known. ``given`` are the values for the preset's ``with:``, or else the plugin's options.

    ``offered`` are those that may be given besides.
    """

    name: str
    plugin: str
    preset: str = ""
    title: str = ""
    given: Mapping[str, str] = field(default_factory=dict)
    offered: tuple[Option, ...] = ()
    region: str
    client_id: str
    client_secret: str
    plugin_dir: str = ""


def text(draft: Draft) -> str:
    """The whole file."""
    return "\n".join([*_head(draft), *(_of_preset(draft) if draft.preset else _of_plugin(draft))]) + "\n"


def quoted(value: str) -> str:
    """A value so that YAML reads it as it was typed: a number stays one, a list in brackets too."""
    if value.startswith(("[", "{")) or isinstance(typed(value), bool | int | float):
        return value
    return value if PLAIN.fullmatch(value) and typed(value) is not None else json.dumps(value, ensure_ascii=False)


def _head(draft: Draft) -> Iterator[str]:
    yield "# After an edit: cgsync check. Every option there is: config.example.yaml, and `cgsync plugin show`."
    yield ""
    yield "customergauge:"
    yield f"  region: {draft.region}  # where you log in: eu, us or au"
    yield f"  client_id: {quoted(draft.client_id)}"
    yield f"  client_secret: {quoted(draft.client_secret)}"
    yield ""
    if draft.plugin_dir:
        yield f"plugin_dir: {quoted(draft.plugin_dir)}"
        yield ""
    yield "sources:"
    yield f"  {draft.name}:  # the name is the key of its state: keep it"


def _of_preset(draft: Draft) -> Iterator[str]:
    yield f"    preset: {draft.preset}  # {draft.title}; `cgsync preset show {draft.preset}` tells all that it does"
    yield "    with:" if draft.given else "    # with:"
    yield from _values(draft, "      ")
    yield "    # What you write here wins over the preset:"
    yield "    # every: 5m"
    yield "    # activity:"
    yield "    #   type: Support Ticket"


def _of_plugin(draft: Draft) -> Iterator[str]:
    yield "    every: 5m"
    yield f"    {draft.plugin}:"
    yield from _values(draft, "      ")
    yield "    # The names behind the dots are the record's own fields: `cgsync preview` shows them."
    yield "    activity:"
    yield f'      reference: "{draft.name}-{{{{ record.id }}}}"  # unique, and never another one'
    yield '      account: "{{ record.account }}"  # the exact name; an unknown one is created'
    yield "      # contact: \"{{ record.email | default('') }}\""
    yield f"      type: {quoted(draft.name)}"
    yield f"      source: {quoted(draft.name)}"
    yield "      happened_at: \"{{ record.created_at }}\"  # ISO 8601, Y-m-d H:i:s, epoch; | datetime('%d.%m.%Y')"


def _values(draft: Draft, indent: str) -> Iterator[str]:
    known = {each.path: each for each in draft.offered}
    for name, value in draft.given.items():
        yield f"{indent}{name}: {quoted(value)}{_comment(known.get(name))}"
    for name, each in known.items():
        if name not in draft.given and "." not in name and "[" not in name:
            default = "…" if each.default is None else json.dumps(each.default, ensure_ascii=False)
            yield f"{indent}# {name}: {default}{_comment(each)}"


def _comment(option: Option | None) -> str:
    words = shorten(option.description, LONGEST, placeholder=" …") if option else ""
    return f"  # {words}" if words else ""
