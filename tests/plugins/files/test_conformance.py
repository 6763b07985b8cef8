"""The files source is held to the same contract as anyone's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cgsync_files import cgsync_source_types

from cgsync.testing import SourceConformance


class TestCsv(SourceConformance):
    """Several files in folders, one of them longer than a batch, moved away afterwards."""

    source_type = cgsync_source_types()[0]
    keys = frozenset(f"a{n}" for n in range(1200)) | frozenset(f"b{n}" for n in range(3))

    @pytest.fixture
    def options(self, tmp_path: Path) -> Mapping[str, Any]:
        drop = tmp_path / "drop"
        (drop / "below").mkdir(parents=True)
        (drop / "a.csv").write_text("no,text\n" + "".join(f'a{n},"ümlaut,\n{n}"\n' for n in range(1200)))
        (drop / "below" / "b.csv").write_text("no;text\n" + "".join(f"b{n};x\n" for n in range(3)))
        return {"path": str(drop), "include": "**/*.csv", "key": "no", "after": {"move": "archive/%Y/"}}


class TestNdjson(SourceConformance):
    source_type = cgsync_source_types()[0]
    keys = frozenset(str(n) for n in range(1100))

    @pytest.fixture
    def options(self, tmp_path: Path) -> Mapping[str, Any]:
        lines = [json.dumps({"call": {"id": n}}) for n in range(1100)]
        (tmp_path / "calls.jsonl").write_text("\n".join(lines))
        (tmp_path / "calls.jsonl.done").touch()
        readiness = {"done_file": "{name}.done"}
        return {"path": str(tmp_path), "key": "call.id", "readiness": readiness, "after": "delete"}


class TestJson(SourceConformance):
    source_type = cgsync_source_types()[0]
    keys = frozenset(f"a:{n}" for n in range(1100))

    @pytest.fixture
    def options(self, tmp_path: Path) -> Mapping[str, Any]:
        (tmp_path / "calls.json").write_text(json.dumps([{"kind": "a", "id": n} for n in range(1100)], indent=2))
        return {"path": str(tmp_path), "key": ["kind", "id"], "readiness": {"rename": True}}
