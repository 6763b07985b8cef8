"""The options of the files source as JSON Schema: what `cgsync check` judges by and editors complete from."""

from __future__ import annotations

from typing import Any

from cgsync.formats import CSV_SCHEMA, ENCODING_SCHEMA

PATTERNS = {"type": ["string", "array"], "minLength": 1, "minItems": 1, "items": {"type": "string", "minLength": 1}}

READINESS_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "When a file is complete. Several may be given; all must hold.",
    "default": {"stable": "2s"},
    "minProperties": 1,
    "additionalProperties": False,
    "properties": {
        "stable": {"$ref": "cgsync:duration", "description": "Its content and its inode rested that long."},
        "done_file": {
            "type": "string",
            "pattern": "^[^/]*\\{(name|stem)\\}[^/]*$",
            "description": "That file lies beside it: {name}.done, {stem}.ok",
        },
        "rename": {
            "type": "boolean",
            "description": "true: files get their name only when they are complete, so each is ready at once.",
        },
    },
}

AFTER_SCHEMA: dict[str, Any] = {
    "description": "What happens to a file once all of its records are stored: keep, delete, or move to a folder "
    "(relative to path; %Y, %m, %d, {name} and {stem} are filled in).",
    "default": "keep",
    "type": ["string", "object"],
    "if": {"type": "string"},
    "then": {"enum": ["keep", "delete"]},
    "else": {
        "properties": {"move": {"type": "string", "minLength": 1}},
        "required": ["move"],
        "additionalProperties": False,
    },
}

LIMITS_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "Caps: a record beyond one of them is rejected; a file with too many bad rows is given up.",
    "default": {},
    "additionalProperties": False,
    "properties": {
        "record": {"$ref": "cgsync:size", "default": "1MiB", "description": "Bytes of one record."},
        "columns": {
            "type": "integer",
            "minimum": 1,
            "maximum": 10000,
            "default": 1000,
            "description": "Of a CSV file.",
        },
        "depth": {"type": "integer", "minimum": 1, "maximum": 64, "default": 64, "description": "Nesting of JSON."},
        "bad_rows": {"type": "integer", "minimum": 1, "default": 10000, "description": "Bad rows in one file."},
    },
}

OPTIONS_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "description": "Files that land in a folder.",
    "required": ["path", "key"],
    "additionalProperties": False,
    "properties": {
        "path": {"type": "string", "minLength": 1, "description": "The folder."},
        "include": {
            **PATTERNS,
            "default": "*",
            "description": "Names to read: *.csv, or with folders orders/**/*.csv; one or a list.",
        },
        "exclude": {**PATTERNS, "description": "Names to leave alone; hidden and half-written files always are."},
        "recursive": {"type": "boolean", "default": False, "description": "Folders below path too."},
        "depth": {
            "type": "integer",
            "minimum": 1,
            "maximum": 32,
            "default": 16,
            "description": "How many folders deep, where folders are read at all.",
        },
        "order": {
            "type": "string",
            "enum": ["name", "mtime"],
            "default": "name",
            "description": "Which file is read first.",
        },
        "format": {
            "type": "string",
            "enum": ["auto", "csv", "ndjson", "json"],
            "default": "auto",
            "description": "auto: by extension, then by content.",
        },
        "csv": CSV_SCHEMA,
        "encoding": {**ENCODING_SCHEMA, "description": "Default: by the byte order mark, else strict UTF-8."},
        "fallback_encoding": {
            **ENCODING_SCHEMA,
            "description": "From a file's first record on that is not UTF-8; without it such records are rejected.",
        },
        "key": {
            "type": ["string", "array"],
            "minLength": 1,
            "minItems": 1,
            "items": {"type": "string", "minLength": 1},
            "description": "What tells records apart: a column (a path with dots in JSON), a list of them, or row: "
            "a hash of content and row number.",
        },
        "revision": {
            "type": "string",
            "minLength": 1,
            "description": "A field with an integer or an ISO 8601 time: a lower one never replaces a higher one.",
        },
        "readiness": READINESS_SCHEMA,
        "after": AFTER_SCHEMA,
        "failed": {
            "type": "string",
            "minLength": 1,
            "default": "failed/",
            "description": "Where files go that cannot be read, if after is not keep; as in after: move.",
        },
        "same_content": {
            "type": "string",
            "enum": ["skip", "read"],
            "default": "skip",
            "description": "A small file that equals one already read, under another name.",
        },
        "limits": LIMITS_SCHEMA,
    },
}
