"""The options of the REST source as JSON Schema: what `cgsync check` judges by and editors complete from."""

from __future__ import annotations

from typing import Any

from cgsync.formats import DECODE_SCHEMA
from cgsync.http import HTTP_PROPERTIES
from cgsync_rest.schema.enrichment import ENRICH
from cgsync_rest.schema.errors import ERRORS
from cgsync_rest.schema.incremental import INCREMENTAL
from cgsync_rest.schema.pagination import PAGINATE
from cgsync_rest.schema.partitions import FOR_EACH
from cgsync_rest.schema.request import REQUEST_PROPERTIES
from cgsync_rest.schema.selection import KEY, RECORDS

MOST = {"type": "integer", "minimum": 1}
LIMITS: dict[str, Any] = {
    **HTTP_PROPERTIES["limits"],
    "properties": {
        **HTTP_PROPERTIES["limits"]["properties"],
        "record": {"$ref": "cgsync:size", "default": "1MiB", "description": "Bytes of one record, as JSON."},
    },
}
HEADERS: dict[str, Any] = {
    **HTTP_PROPERTIES["headers"],
    "description": "Sent with each request to the API's own host and port; templates.",
}

OPTIONS_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "description": "Records of an HTTP API.",
    "required": ["url", "key"],
    "additionalProperties": False,
    "properties": {
        **REQUEST_PROPERTIES,
        **HTTP_PROPERTIES,
        "headers": HEADERS,
        "limits": LIMITS,
        "decode": DECODE_SCHEMA,
        "paginate": PAGINATE,
        "incremental": INCREMENTAL,
        "for_each": FOR_EACH,
        "enrich": ENRICH,
        "records": RECORDS,
        "key": KEY,
        "errors": ERRORS,
        "max_records": {**MOST, "description": "So many records in one run at most; the next run goes on."},
        "max_requests": {**MOST, "description": "So many requests in one run at most; the next run goes on."},
    },
}
