"""What is asked for once each: a list of values, or what a parent request lists."""

from __future__ import annotations

from typing import Any

from cgsync_rest.schema.pagination import PAGINATE
from cgsync_rest.schema.request import NAME, PATH, REQUEST_PROPERTIES, TEMPLATE

FOR_EACH: dict[str, Any] = {
    "type": "object",
    "description": "Repeat the request for each of several partitions, one of these. Each has a position of its own, "
    "and the trouble of one does not stop the others.",
    "minProperties": 1,
    "maxProperties": 1,
    "additionalProperties": False,
    "properties": {
        "values": {
            "type": "array",
            "minItems": 1,
            "maxItems": 10_000,
            "uniqueItems": True,
            "items": {"type": ["string", "integer"]},
            "description": "{{ partition }} is one after another of these.",
        },
        "parent": {
            "type": "object",
            "description": "The records of another request; {{ partition }} is the key of one, {{ parent }} all of it.",
            "required": ["request", "key"],
            "additionalProperties": False,
            "properties": {
                "request": {
                    "type": "object",
                    "description": "That request; the same session, auth and limits.",
                    "required": ["url"],
                    "additionalProperties": False,
                    "properties": {**REQUEST_PROPERTIES, "paginate": PAGINATE},
                },
                "records": {**PATH, "description": "Where in its answer the records are."},
                "key": {
                    **TEMPLATE,
                    "description": "What names a parent: a field, or a template over record.",
                },
                "include": {
                    "type": "array",
                    "minItems": 1,
                    "items": NAME,
                    "description": "Fields of the parent that each record gets, under parent.",
                },
            },
        },
    },
}
