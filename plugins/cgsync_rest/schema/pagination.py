"""How the next page is found, and where the pages end."""

from __future__ import annotations

from typing import Any

from cgsync_rest.schema.request import NAME, PATH, TEMPLATE

COUNT = {"type": "integer", "minimum": 1, "maximum": 1_000_000}

STOPS: dict[str, Any] = {
    "has_more_path": {**PATH, "description": "Where the answer says true while there are more pages."},
    "stop_when": {**TEMPLATE, "description": "A template over response, page and last_record; true ends the pages."},
    "stop_on_short_page": {
        "type": "boolean",
        "default": False,
        "description": "A page with fewer records than were asked for is the last one; saves a request.",
    },
    "max_pages": {**COUNT, "description": "So many pages at most; what lies behind them is not read."},
    "empty_page": {
        "type": "string",
        "enum": ["stop", "go_on"],
        "default": "stop",
        "description": "What a page without records means.",
    },
}
TOKEN_STOPS = {name: stop for name, stop in STOPS.items() if name != "stop_on_short_page"}


def kind(description: str, required: list[str], properties: dict[str, Any], stops: dict[str, Any]) -> dict[str, Any]:
    """One way to find the next page."""
    return {
        "type": "object",
        "description": description,
        "required": required,
        "additionalProperties": False,
        "properties": {**properties, **stops},
    }


PAGINATE: dict[str, Any] = {
    "type": "object",
    "description": "How the next page is found, one of these.",
    "default": {"none": {}},
    "minProperties": 1,
    "maxProperties": 1,
    "additionalProperties": False,
    "properties": {
        "none": {
            "type": "object",
            "description": "One answer holds everything.",
            "additionalProperties": False,
            "properties": {},
        },
        "page": kind(
            "Pages with numbers.",
            [],
            {
                "param": {**NAME, "default": "page", "description": "The parameter with the number of the page."},
                "start": {"type": "integer", "minimum": 0, "default": 1, "description": "The number of the first."},
                "size_param": {**NAME, "description": "The parameter with the size of a page."},
                "size": {**COUNT, "description": "Records on a page."},
                "total_path": {**PATH, "description": "Where the answer says how many pages there are."},
            },
            STOPS,
        ),
        "offset": kind(
            "Pages by the number of records before them.",
            [],
            {
                "param": {**NAME, "default": "offset", "description": "The parameter with that number."},
                "limit_param": {**NAME, "default": "limit", "description": "The parameter with the size of a page."},
                "limit": {**COUNT, "default": 100, "description": "Records on a page."},
                "total_path": {**PATH, "description": "Where the answer says how many records there are."},
            },
            STOPS,
        ),
        "cursor": {
            **kind(
                "The answer holds a token for the next page.",
                [],
                {
                    "path": {**PATH, "description": "Where in the answer the token is."},
                    "header": {**NAME, "description": "Or the header of the answer that holds it."},
                    "param": {**NAME, "description": "The parameter that takes it."},
                    "body_path": {**NAME, "description": "Or the field of the JSON body, with dots."},
                    "header_name": {**NAME, "description": "Or the header of the request."},
                },
                TOKEN_STOPS,
            ),
            "allOf": [
                {"oneOf": [{"required": ["path"]}, {"required": ["header"]}]},
                {"oneOf": [{"required": ["param"]}, {"required": ["body_path"]}, {"required": ["header_name"]}]},
            ],
        },
        "next_url": kind(
            "The answer holds the address of the next page.",
            ["path"],
            {"path": {**PATH, "description": "Where in the answer it is."}},
            TOKEN_STOPS,
        ),
        "link_header": kind(
            "The header Link holds the address of the next page.",
            [],
            {"rel": {**NAME, "default": "next", "description": "The relation that leads to it."}},
            TOKEN_STOPS,
        ),
        "keyset": kind(
            "The next page starts behind the last record of this one.",
            ["field", "param"],
            {
                "field": {**NAME, "description": "The field of the last record, with dots."},
                "param": {**NAME, "description": "The parameter that takes its value."},
            },
            TOKEN_STOPS,
        ),
    },
}
