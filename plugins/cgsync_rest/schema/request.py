"""What is asked: options of one request, shared by the source, the parents of its partitions and its look-ups."""

from __future__ import annotations

from typing import Any

TEMPLATE = {"type": "string", "minLength": 1}
NAME = {"type": "string", "minLength": 1, "maxLength": 200}
PATH = {"type": "string", "pattern": "^\\$", "examples": ["$.tickets[*]", "$.meta.total"]}
SCALAR = {"type": ["string", "number", "boolean", "null"]}
VALUE = {"type": ["string", "number", "boolean", "null", "array", "object"]}

URL: dict[str, Any] = {**TEMPLATE, "description": "The address; a template. Its host must not be one."}

METHOD: dict[str, Any] = {
    "type": "string",
    "enum": ["GET", "POST", "PUT", "PATCH", "SEARCH"],
    "default": "GET",
    "description": "How it is asked. Only a request that changes nothing at the API is right here.",
}

PARAMS: dict[str, Any] = {
    "type": "object",
    "description": "The query: text, numbers, booleans or lists of them; templates. What is null or empty text from a "
    "template is left out.",
    "additionalProperties": {
        "type": ["string", "number", "boolean", "null", "array"],
        "items": SCALAR,
    },
    "examples": [{"include": "requester,company", "state": ["open", "pending"]}],
}

PARAM_LISTS: dict[str, Any] = {
    "type": "string",
    "enum": ["repeat", "brackets", "comma"],
    "default": "repeat",
    "description": "How a list in params is written: a=1&a=2, a[]=1&a[]=2, or a=1,2.",
}

BODY: dict[str, Any] = {
    "type": "object",
    "description": "What is sent, one of these; templates at any depth.",
    "minProperties": 1,
    "maxProperties": 1,
    "additionalProperties": False,
    "properties": {
        "json": {**VALUE, "description": "Any JSON."},
        "form": {
            "type": "object",
            "additionalProperties": {"type": ["string", "number", "boolean", "null", "array"], "items": SCALAR},
            "description": "Fields of a form.",
        },
        "text": {"type": "string", "description": "Any text; say its Content-Type in headers."},
        "graphql": {
            "type": "object",
            "description": "A GraphQL query, sent as JSON. Errors in the answer are errors of the source.",
            "required": ["query"],
            "additionalProperties": False,
            "properties": {
                "query": {"type": "string", "minLength": 1, "description": "The query; never a template."},
                "variables": {
                    "type": "object",
                    "description": "Its variables; templates at any depth.",
                    "additionalProperties": VALUE,
                },
            },
        },
    },
}

REQUEST_PROPERTIES: dict[str, Any] = {
    "url": URL,
    "method": METHOD,
    "params": PARAMS,
    "param_lists": PARAM_LISTS,
    "body": BODY,
}
