"""The real daemon tells what became of a reference: on a terminal, as JSON, after an edit, and when nothing runs."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import Any

from tests.e2e.installation import MAPPING, Site, environment, eventually, orders

UNKNOWN = {"message": "The given data was invalid.", "errors": {"account": ["is unknown"]}}
EDITED = MAPPING.replace("{{ order.note }}", "{{ order.note | upper }}")


def on_terminal(site: Site, *words: str) -> str:
    """What a command prints on a terminal."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "cgsync", "-c", str(site.config), *words]
    with subprocess.Popen(command, stdout=theirs, env={**environment(), "TERM": "xterm"}) as process:
        os.close(theirs)
        said = b""
        while True:
            try:
                more = os.read(ours, 65_536)
            except OSError:  # the other end was closed
                break
            if not more:
                break
            said += more
        os.close(ours)
    assert process.returncode == 0
    return said.decode().replace("\r\n", "\n")


def waits(found: Any) -> str:
    return " ".join(each["words"] for each in found["waits"])


def test_what_became_of_a_reference_is_told_in_every_state(site: Site) -> None:
    site.sandbox.fault({"kind": "status", "status": 422, "body": UNKNOWN, "reference": "order-2"})
    site.put("a.csv", orders(3).replace("Company 0", ""))
    process = site.running()
    eventually(lambda: site.ask("explain", reference="order-1")["state"] == "delivered")
    eventually(lambda: site.ask("explain", reference="order-2")["state"] == "refused")
    delivered = site.json("explain", "order-1")
    assert delivered["answer"]["reference"] == "order-1"
    assert {each["field"]: each["expression"] for each in delivered["fields"]}["account"] == "{{ order.company }}"
    assert site.json("explain", "order-2")["rejects"][0]["reasons"] == {"account": "is unknown"}
    assert "  version 1  refused  422 account: is unknown\n" in site.run("outbox", "show", "order-2").stdout
    assert "last failure" not in site.run("outbox", "show", "order-1").stdout
    assert [each["position"] for each in site.json("explain", "0")["rejects"]] == ["a.csv line 2"]
    assert site.json("explain", "1") == delivered

    shown = on_terminal(site, "explain", "order-1")
    assert shown.startswith("\x1b[1morder-1\x1b[0m  delivered at ")
    assert "{{ order.company }}" in shown

    site.run("pause", "--sending")
    site.write(sources=site.source("orders", site.drop, mapping=EDITED))
    site.run("reload")
    site.put("b.csv", orders(1, start=7))
    halted = eventually(lambda: (found := site.json("explain", "order-7", check=None))["state"] == "pending" and found)
    assert "sending: halted" in waits(halted)
    by_field = {each["field"]: each for each in halted["fields"]}
    assert by_field["additional_information_object.note"]["origins"][0]["value"] == "fine"
    assert site.json("explain", "order-1")["today"]["outcome"] == "other"

    process.terminate()
    process.wait(30)
    assert "no daemon runs" in waits(site.json("explain", "order-7"))
