"""What is looked up for each record."""

from __future__ import annotations

from typing import Any

from cgsync_rest.schema.request import METHOD, NAME, PARAM_LISTS, PARAMS, PATH, TEMPLATE, URL

LOOK_UP: dict[str, Any] = {
    "type": "object",
    "required": ["url"],
    "additionalProperties": False,
    "properties": {
        "url": {**URL, "description": "The address; a template over record (and id)."},
        "method": METHOD,
        "params": PARAMS,
        "param_lists": PARAM_LISTS,
        "id": {**TEMPLATE, "description": "What is looked up: a template over record. Empty: nothing is."},
        "when": {**TEMPLATE, "description": "A template over record; false: nothing is looked up."},
        "records": {**PATH, "default": "$", "description": "Where in the answer the result is."},
        "missing": {
            "type": ["string", "null"],
            "enum": ["null", "fail", None],
            "default": "null",
            "description": "What becomes of a 404 or an empty answer: the result is null, or the record is rejected.",
        },
        "cache": {
            "type": "object",
            "description": "How long and how many results are kept in memory.",
            "default": {},
            "additionalProperties": False,
            "properties": {
                "for": {"$ref": "cgsync:duration", "default": "1h", "description": "So long."},
                "size": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": 1_000_000,
                    "default": 10_000,
                    "description": "So many.",
                },
            },
        },
        "batch": {
            "type": "object",
            "description": "Look up several at once; needs id.",
            "required": ["ids", "key"],
            "additionalProperties": False,
            "properties": {
                "size": {
                    "type": "integer",
                    "minimum": 2,
                    "maximum": 1000,
                    "default": 100,
                    "description": "So many in one request.",
                },
                "ids": {**NAME, "description": "The parameter that takes the list of ids."},
                "key": {**NAME, "description": "The field of a result that equals the id."},
            },
        },
    },
    "dependentRequired": {"batch": ["id"]},
}

ENRICH: dict[str, Any] = {
    "type": "object",
    "description": "Look-ups for each record, by the name under which the result stands in it.",
    "additionalProperties": LOOK_UP,
}
