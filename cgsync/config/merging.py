"""Laying what a user wrote over what stands there already."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cgsync.config.guide import Guide, Schema, of_member
from cgsync.config.nodes import Node

EXCLUSIVE = (("every", "cron"), ("additional_information_object", "additional_information_array"))
"""options of which one stands for the other"""


def laid_over(own: Node | None, under: Node | None, schema: Schema) -> Node | None:
    """Mappings are merged key by key; a list or a scalar replaces what was there, and so does a choice.

    A choice is a mapping of which the schema allows one option only (``auth``, ``paginate``), or that has several
    forms: one option from each side would be two.
    """
    return _laid(own, under, schema, Guide(root=schema))


def _laid(own: Node | None, under: Node | None, schema: Any, guide: Guide) -> Node | None:
    if own is None or under is None:
        return own or under
    if own.value is None and not own.failed and isinstance(under.value, dict):
        return under  # `rest:` with nothing behind it
    if not isinstance(own.value, dict) or not isinstance(under.value, dict):
        return own
    speaking = list(guide.speaking(schema, own))
    if any(_is_choice(each, own, under, guide) for each in speaking):
        return own
    kept = [key for key in {**under.value, **own.value} if key in own or not _replaced(key, own)]
    below = {key: {"allOf": list(_below(speaking, key))} for key in kept}
    return own.with_(value={key: _laid(own.get(key), under.get(key), below[key], guide) for key in kept})


def _is_choice(schema: Schema, own: Node, under: Node, guide: Guide) -> bool:
    forms = schema.get("oneOf")
    return schema.get("maxProperties") == 1 or bool(forms and guide.form(forms, own) != guide.form(forms, under))


def _below(speaking: Iterable[Schema], key: str) -> Iterable[Any]:
    for schema in speaking:
        yield from of_member(schema, key)


def _replaced(key: str, own: Node) -> bool:
    """Is it the other one of two that exclude each other, of which the user has written one?"""
    return any(key in pair and any(other in own for other in pair) for pair in EXCLUSIVE)
