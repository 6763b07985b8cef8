"""Logs hold no secret and no escape sequence, in all three shapes."""

from __future__ import annotations

import io
import json
import logging
import os

import pytest
import structlog

from cgsync import logs
from cgsync.secrets import Redactor


@pytest.fixture
def redactor() -> Redactor:
    known = Redactor()
    known.add("hunter2-canary")
    return known


@pytest.fixture(autouse=True)
def _restored():
    yield
    structlog.reset_defaults()
    logging.basicConfig(force=True)
    logging.captureWarnings(capture=False)


@pytest.mark.parametrize("form", ["console", "json"])
def test_secrets_are_masked_wherever_they_stand(form, redactor: Redactor) -> None:
    out = io.StringIO()
    logs.configure("info", form, redactor, out)
    log = structlog.get_logger()
    log.info("said hunter2-canary", url="http://x/?k=hunter2-canary", deep={"a": ["hunter2-canary"]})
    try:
        raise ValueError("hunter2-canary")
    except ValueError:
        log.exception("failed")
    logging.getLogger("some.library").warning("it said %s", "hunter2-canary")
    assert "hunter2-canary" not in out.getvalue()
    assert out.getvalue().count("********") >= 5


def test_a_record_can_neither_forge_a_line_nor_move_the_cursor(redactor: Redactor) -> None:
    out = io.StringIO()
    logs.configure("info", "console", redactor, out)
    structlog.get_logger().info("took in", subject="x\n2026-01-01 [error] forged\x1b[2J")
    assert out.getvalue().count("\n") == 1
    assert "\x1b" not in out.getvalue()


def test_json_lines_carry_level_time_and_values(redactor: Redactor) -> None:
    out = io.StringIO()
    logs.configure("info", "json", redactor, out)
    structlog.get_logger().bind(source="orders").warning("source failed", again_in="4s")
    line = json.loads(out.getvalue())
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "source failed", "source": "orders", "again_in": "4s", "level": "warning"}


def test_below_the_level_nothing_is_said(redactor: Redactor) -> None:
    out = io.StringIO()
    logs.configure("warning", "console", redactor, out)
    structlog.get_logger().info("quiet")
    assert out.getvalue() == ""


def test_under_systemd_a_line_starts_with_its_priority(redactor: Redactor, tmp_path, monkeypatch) -> None:
    with (tmp_path / "journal").open("w+") as out:
        status = os.fstat(out.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
        logs.configure("info", "auto", redactor, out)
        structlog.get_logger().error("source held", source="orders", error="two\nlines")
        out.seek(0)
        assert out.read() == "<3>source held source=orders error=two\\nlines\n"
