"""Which part of an answer is a record, which records count, and what names one."""

from __future__ import annotations

from typing import Any

from cgsync_rest.schema.request import NAME, PATH, TEMPLATE

RECORDS: dict[str, Any] = {
    "description": "Where the records are: a JSONPath, or a mapping. Default: the answer, a list or one record.",
    "type": ["string", "object"],
    "if": {"type": "string"},
    "then": PATH,
    "else": {
        "additionalProperties": False,
        "properties": {
            "path": {**PATH, "description": "Where in the answer the records are."},
            "expand": {
                "type": "object",
                "description": "Make a record of each item of a list inside a record.",
                "required": ["path"],
                "additionalProperties": False,
                "properties": {
                    "path": {**NAME, "description": "The field with the list, with dots."},
                    "keep_parent": {
                        "type": "boolean",
                        "default": False,
                        "description": "The record stays as it is, with one item in place of the list.",
                    },
                },
            },
            "where": {**TEMPLATE, "description": "A template over record; those for which it is false are left out."},
        },
    },
}

KEY: dict[str, Any] = {
    "type": ["string", "array"],
    "minLength": 1,
    "minItems": 1,
    "items": NAME,
    "description": "What tells records apart: a field (with dots), a list of fields, or a template over record.",
}
