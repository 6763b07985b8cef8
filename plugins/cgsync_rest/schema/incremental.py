"""How only what is new or changed is asked for."""

from __future__ import annotations

from typing import Any

from cgsync_rest.schema.request import NAME, PATH

INCREMENTAL: dict[str, Any] = {
    "type": "object",
    "description": "Ask only for what is new or changed since the last time. Without it everything is read each time; "
    "what is unchanged is not sent again.",
    "additionalProperties": False,
    "properties": {
        "field": {**NAME, "description": "The field of a record that says when it changed; it is also its revision."},
        "path": {**PATH, "description": "For kind opaque: where the last answer holds the token to start from."},
        "kind": {
            "type": "string",
            "enum": ["datetime", "integer", "opaque"],
            "default": "datetime",
            "description": "What the position is: a time, a number that grows, or a token of the API.",
        },
        "formats": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "string", "minLength": 1},
            "default": ["iso", "epoch"],
            "description": "How times are written in records: iso, epoch, epoch_ms, rfc5322, or as in strftime; the "
            "first that fits.",
        },
        "timezone": {"type": "string", "default": "UTC", "description": "Of times without an offset."},
        "start": {
            "type": "string",
            "minLength": 1,
            "description": "Where the very first run starts: a time, now-30d, a number, a token. Default: everything.",
        },
        "param": {**NAME, "description": "The parameter that takes the position; or {{ cursor }} in a template."},
        "end_param": {
            **NAME,
            "description": "The parameter that takes the end of the window; not part of it.",
        },
        "request_format": {
            "type": "string",
            "minLength": 1,
            "default": "iso",
            "description": "How times are written in requests: iso, epoch, epoch_ms, or as in strftime.",
        },
        "window": {
            "type": "object",
            "description": "Ask for spans of time one after another; an interruption costs at most one of them.",
            "required": ["step"],
            "additionalProperties": False,
            "properties": {"step": {"$ref": "cgsync:duration", "description": "The length of a span."}},
        },
        "lookback": {
            "description": "So much before the position is read again, for what arrives late: a duration; a count for "
            "kind integer.",
            "if": {"type": "integer"},
            "then": {"type": "integer", "minimum": 0},
            "else": {"$ref": "cgsync:duration"},
        },
        "order": {
            "type": "string",
            "enum": ["asc", "desc", "none"],
            "default": "none",
            "description": "How the API sorts by field. With asc an interrupted run goes on where it was.",
        },
        "stop_at_seen": {
            "type": "boolean",
            "default": False,
            "description": "With order desc: end at the first page that ends before the position.",
        },
        "filter": {
            "type": "string",
            "enum": ["server", "client"],
            "default": "server",
            "description": "Who leaves out what lies before the position: the API, or this program.",
        },
        "on_missing": {
            "type": "string",
            "enum": ["fail", "skip", "include"],
            "default": "fail",
            "description": "What becomes of a record whose field is missing or unreadable.",
        },
    },
    "if": {"properties": {"kind": {"const": "opaque"}}, "required": ["kind"]},
    "then": {"required": ["path"]},
    "else": {"required": ["field"]},
}
