"""The documented rules for an activity, told in the words of the real API."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

REQUIRED = {"account": 255, "type": 100, "source": 100}
OPTIONAL = {"reference": 128, "contact": 255}
OBJECT, ARRAY = "additional_information_object", "additional_information_array"

Violations = dict[str, list[str]]

_happened_at = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?: ([+-])(\d\d):?(\d\d))?", re.ASCII)


def violations(body: Mapping[str, Any]) -> Violations:
    """What is wrong with an activity: field → sentences; empty when it is accepted. Unknown keys are ignored."""
    found: Violations = {}
    for field, limit in REQUIRED.items():
        _check_text(body.get(field), field, limit, found, required=True)
    for field, limit in OPTIONAL.items():
        _check_text(body.get(field), field, limit, found, required=False)
    _check_time(body.get("happened_at"), found)
    _check_information(body, found)
    return found


def moment(text: str) -> datetime | None:
    """``Y-m-d H:i:s``, with or without an offset, as an aware UTC time; ``None`` when there is no such moment."""
    match = _happened_at.fullmatch(text)
    if match is None:
        return None
    local, sign, hours, minutes = match.groups()
    try:
        offset = timedelta(hours=int(hours), minutes=int(minutes)) if sign else timedelta()
        zone = timezone(-offset if sign == "-" else offset)
        return datetime.fromisoformat(local).replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _check_text(value: Any, field: str, limit: int, found: Violations, *, required: bool) -> None:
    if value is None or value == "":
        if required:
            found[field] = [f"The {field} field is required."]
    elif not isinstance(value, str):
        found[field] = [f"The {field} must be a string."]
    elif len(value) > limit:
        found[field] = [f"The {field} must not be greater than {limit} characters."]
    elif required and not value.strip():
        found[field] = [f"The {field} field is required."]


def _check_time(value: Any, found: Violations) -> None:
    if value is None or value == "":
        found["happened_at"] = ["The happened at field is required."]
    elif not isinstance(value, str) or moment(value) is None:
        found["happened_at"] = ["The happened at does not match the format Y-m-d H:i:s."]


def _check_information(body: Mapping[str, Any], found: Violations) -> None:
    informed = body.get(OBJECT)
    if informed is not None and not isinstance(informed, dict):
        found[OBJECT] = ["The additional information object must be an object."]
    pairs = information_array(body)
    if pairs is None:
        found[ARRAY] = ["The additional information array must be an array."]
        return
    for key, value in pairs.items():
        if not isinstance(value, str):
            found[f"{ARRAY}.{key}"] = [f"The additional information array.{key} must be a string."]
    if pairs and informed is not None:
        found[OBJECT] = [
            "The additional information object is prohibited when additional information array is present."
        ]


def information_array(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """The pairs of ``additional_information_array``, from flat keys or an object; ``None`` when it is neither."""
    whole = body.get(ARRAY)
    if whole is not None and not isinstance(whole, dict):
        return None
    flat = {key[len(ARRAY) + 1 : -1]: body[key] for key in body if key.startswith(ARRAY + "[") and key.endswith("]")}
    return {**(whole or {}), **flat}
