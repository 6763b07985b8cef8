"""What an answer means where its status does not say."""

from __future__ import annotations

from typing import Any

from cgsync_rest.schema.request import TEMPLATE

STATUS: dict[str, Any] = {
    "type": ["integer", "string"],
    "minimum": 100,
    "maximum": 599,
    "pattern": "^[1-5](xx|[0-9][0-9])$",
}

ERRORS: dict[str, Any] = {
    "type": "array",
    "description": "Rules for answers; the first that fits decides, before the usual judgement by status. All that a "
    "rule states must hold.",
    "items": {
        "type": "object",
        "required": ["do"],
        "minProperties": 2,
        "additionalProperties": False,
        "properties": {
            "status": {
                **STATUS,
                "type": ["integer", "string", "array"],
                "items": STATUS,
                "minItems": 1,
                "description": "404, [404, 410], or 5xx.",
            },
            "body_contains": {"type": "string", "minLength": 1, "description": "Text in the body."},
            "when": {**TEMPLATE, "description": "A template over response (status, headers, body)."},
            "do": {
                "type": "string",
                "enum": ["ok", "ignore", "retry", "throttle", "fail", "pause", "refresh_auth", "reset"],
                "description": "ok: read it. ignore: no records, the end. retry: ask again soon. throttle: as a 429. "
                "fail: an error, tried again later. pause: a person must act. refresh_auth: as a 401. reset: the token "
                "has expired, start again.",
            },
        },
    },
}
