"""The text of a preset is checked before anybody's configuration is laid over it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from cgsync.api import Context, SourceType
from cgsync.errors import PluginError
from cgsync.plugins.presets import check, read

SOUND = """
title: Tickets
with:
  type: object
  required: [domain]
  properties: { domain: { type: string }, team: { type: string }, mode: { enum: [one, two], default: one } }
source:
  every: 5m
  desk: { url: "https://${with.domain}/", team: "${with.team}", size: "${with.mode}" }
  activity: { type: Ticket, account: "{{ record.company }}" }
modes:
  two: { activity: { type: Call } }
"""


@asynccontextmanager
async def open_desk(options: Mapping[str, Any], context: Context) -> AsyncIterator[Any]:
    yield None


def desk(preset: str, name: str = "tickets") -> SourceType:
    schema = {
        "type": "object",
        "required": ["url", "key"],
        "additionalProperties": False,
        "properties": {
            "url": {"type": "string"},
            "key": {"type": "string"},
            "team": {"type": "string"},
            "size": {"type": "integer"},
        },
    }
    return SourceType(name="desk", options_schema=schema, sample="{}", open=open_desk, presets={name: preset})


def test_a_sound_one_is_read() -> None:
    """What the plugin requires may be the user's to give."""
    preset = read(desk(SOUND), "tickets")
    assert (preset.plugin, preset.name, preset.title) == ("desk", "tickets", "Tickets")
    assert set(preset.given["properties"]) == {"domain", "team", "mode"}
    assert list(preset.modes) == ["two"]


@pytest.mark.parametrize(
    ("was", "is_now", "words"),
    [
        ("title: Tickets", "title: [", "is not YAML"),
        ("title: Tickets", "titel: Tickets", "is not a mapping of title, with, source, modes"),
        (SOUND, "- title", "is not a mapping of title"),
        ("type: object", "type: array", "with is not a JSON Schema of type object"),
        ("domain: { type: string }", "domain: { type: strong }", "with is not valid at"),
        ("${with.domain}", "${with.domian}", "source has a ${…} that is none of with"),
        ("${with.domain}", "${DOMAIN}", "source has a ${…} that is none of with"),
        ("${with.domain}", "${with.team}", "source has ${with.team} within a text, but it need not be given"),
        ("desk: {", "desk: { prams: 1,", "source.desk does not fit its schema"),
        ('size: "${with.mode}"', "size: many", "source.desk does not fit its schema"),
        ("every: 5m", "every: 5", "source does not fit its schema"),
        ("every: 5m", "evry: 5m", "source holds evry, no option of a source of desk"),
        ("every: 5m", "preset: other", "source holds preset"),
        ("two: { activity", "three: { activity", "with: does not offer the mode three"),
        ("two: { activity: { type: Call } }", "two: 7", "modes.two is not a mapping"),
        ("{ type: Call }", '{ type: "${with.nothing}" }', "modes.two has a ${…} that is none of with"),
    ],
)
def test_what_is_wrong_is_named(was: str, is_now: str, words: str) -> None:
    assert was in SOUND
    with pytest.raises(PluginError, match=r"^preset 'tickets': ") as caught:
        check(desk(SOUND.replace(was, is_now)))
    assert words in caught.value.message


def test_a_name_is_one_that_can_be_typed() -> None:
    with pytest.raises(PluginError, match="is not one: small letters"):
        check(desk(SOUND, "My Tickets"))
