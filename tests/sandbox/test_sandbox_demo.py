"""The demo's exports are real files of their formats, and its configuration reads them."""

from __future__ import annotations

import csv
import json
import stat
from pathlib import Path
from typing import Any

from cgsync.sandbox import write_demo
from cgsync.sandbox.demo import ACTIVITIES, EXPORTS, FILTERED, REJECTS


def demo(folder: Path) -> Path:
    return write_demo(folder, "http://127.0.0.1:1/activities", "http://127.0.0.1:1/oauth2/token")


def records(folder: Path) -> list[Any]:
    drop = folder / "drop"
    with (drop / "orders.csv").open(encoding="utf-8", newline="") as file:
        orders = list(csv.DictReader(file, strict=True))
    tickets = [json.loads(line) for line in (drop / "tickets.ndjson").read_text("utf-8").splitlines()]
    return [*orders, *tickets, *json.loads((drop / "calls.json").read_text("utf-8"))]


def test_the_exports_hold_as_many_records_as_promised(tmp_path: Path) -> None:
    demo(tmp_path)
    assert len(records(tmp_path)) == ACTIVITIES + REJECTS + FILTERED
    assert sum(record.get("outcome") == "voicemail" for record in records(tmp_path)) == FILTERED


def test_every_record_has_a_key_of_its_own(tmp_path: Path) -> None:
    demo(tmp_path)
    keys = [str(r.get("order_no") or r.get("id") or r.get("call_id")) for r in records(tmp_path)]
    assert len(set(keys)) == len(keys)


def test_a_demo_is_written_anew_over_an_earlier_one(tmp_path: Path) -> None:
    demo(tmp_path)
    (tmp_path / "drop" / "orders.csv").write_text("gone")
    path = demo(tmp_path)
    assert len(records(tmp_path)) == ACTIVITIES + REJECTS + FILTERED
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_mark_is_left_in_the_configuration(tmp_path: Path) -> None:
    text = demo(tmp_path / 'a ${folder}: "odd"').read_text("utf-8")
    assert not any(mark in text for mark in ("@url@", "@token_url@", "@drop@", "@state_dir@"))
    assert "$${folder}" in text


def test_every_export_is_read_by_a_source(tmp_path: Path) -> None:
    text = demo(tmp_path).read_text("utf-8")
    assert all(name.replace(".", "*.") in text for name in EXPORTS)
