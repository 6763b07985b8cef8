"""The options of decoding as JSON Schema, so that every plugin's YAML for it is the same."""

from __future__ import annotations

from typing import Any

ENCODING_SCHEMA: dict[str, Any] = {
    "type": "string",
    "minLength": 1,
    "examples": ["utf-8", "cp1252", "iso8859-15", "utf-16"],
}
ONE_CHARACTER = {"type": "string", "maxLength": 1}

CSV_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "The dialect of CSV files.",
    "default": {},
    "additionalProperties": False,
    "properties": {
        "delimiter": {
            "type": "string",
            "pattern": "^(auto|tab|[^\\r\\n])$",
            "default": "auto",
            "description": "Between two fields: one character, or auto: which of , ; | and tab the first line uses.",
        },
        "quote": {**ONE_CHARACTER, "default": '"', "description": 'Around a field; "" for files without quotes.'},
        "escape": {**ONE_CHARACTER, "default": "", "description": "Before a character that is meant literally."},
        "header": {
            "type": ["boolean", "array"],
            "minItems": 1,
            "items": {"type": "string", "minLength": 1},
            "default": True,
            "description": "true: the first row names the columns; false: they are c1, c2, …; or a list of names.",
        },
        "skip_rows": {
            "type": "integer",
            "minimum": 0,
            "maximum": 1000,
            "default": 0,
            "description": "Lines at the top of each file that are not part of the table.",
        },
    },
}

DECODE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "How the bytes of an answer are read.",
    "default": {},
    "additionalProperties": False,
    "properties": {
        "format": {
            "type": "string",
            "enum": ["auto", "json", "jsonl", "csv", "xml", "text"],
            "default": "auto",
            "description": "auto: by what the server calls it, then by the content.",
        },
        "compression": {
            "type": "string",
            "enum": ["auto", "none", "gzip", "zip", "deflate"],
            "default": "auto",
            "description": "What is packed around it; auto: gzip and zip are told from their first bytes.",
        },
        "member": {
            "type": "string",
            "minLength": 1,
            "default": "*",
            "description": "Which files of a zip are read, for instance *.csv; several are read one after another.",
        },
        "encoding": {
            **ENCODING_SCHEMA,
            "description": "Default: by the byte order mark, the charset that the server names, else strict UTF-8.",
        },
        "csv": CSV_SCHEMA,
        "xml": {
            "type": "object",
            "description": "How XML becomes fields.",
            "default": {},
            "additionalProperties": False,
            "properties": {
                "lists": {
                    "type": "array",
                    "items": {"type": "string", "minLength": 1},
                    "default": [],
                    "description": "Elements that are a list also where they come only once.",
                },
            },
        },
        "text": {
            "type": "string",
            "enum": ["lines", "whole"],
            "default": "lines",
            "description": "Plain text: one record a line, or one for all of it; the field is called text.",
        },
    },
}
