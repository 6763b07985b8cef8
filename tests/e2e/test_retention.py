"""What is kept for a time only, with the real daemon: bodies, records and rejects go, and nothing is sent for that."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from tests.e2e.installation import MAPPING, Site, eventually, orders


def kept(site: Site) -> dict[str, tuple[bool, bool, bool]]:
    """Reference → whether its body, its record and its digest are there."""
    query = (
        "SELECT a.reference, coalesce(length(p.body), 0), coalesce(length(p.record), 0), length(a.digest)"
        " FROM activity AS a LEFT JOIN payload AS p USING (seq)"
    )
    with closing(sqlite3.connect(site.folder / "state" / "ledger.sqlite3")) as conn:
        return {
            reference: (bool(body), bool(record), bool(digest))
            for reference, body, record, digest in conn.execute(query)
        }


def rejects(site: Site) -> list[str]:
    return sorted(each["position"] for each in site.json("rejects", "list", "--each"))


def test_what_was_delivered_loses_body_and_record_and_is_not_sent_again(site: Site) -> None:
    site.sandbox.fault({"kind": "status", "status": 503, "reference": "order-3"})
    site.put("a.csv", orders(4))
    site.running()
    eventually(lambda: len(site.sandbox.activities) == 3 and site.ask("status")["outbox"]["pending"] == 1)
    before = site.sandbox.stats["applied"]

    site.write(top="retention: { bodies: 0s, records: 0s }\n")
    assert site.run("reload").stdout == "took retention\n"
    eventually(lambda: kept(site)["order-0"] == (False, False, True))
    lost, whole = (False, False, True), (True, True, True)
    assert kept(site) == {"order-0": lost, "order-1": lost, "order-2": lost, "order-3": whole}
    assert site.json("status")["without_body"] == 3
    assert site.json("plan", "orders")["counts"]["without record"] == 3

    site.put("b.csv", orders(3))
    eventually(lambda: "read=3" in site.said())
    assert site.sandbox.stats["applied"] == before
    site.put("c.csv", orders(1, note="edited"))
    eventually(lambda: site.sandbox.stats["applied"] == before + 1)
    site.balances()


def test_rejects_beyond_the_limit_and_older_than_the_term_are_dropped(site: Site) -> None:
    broken = MAPPING.replace("order.note", "order.remark")
    site.write(sources=site.source("orders", site.drop, every="1h", mapping=broken))
    site.put("a.csv", orders(5))
    site.running()
    eventually(lambda: len(rejects(site)) == 5)

    limited = site.source("orders", site.drop, every="1h", mapping=f"\n    limits: {{ rejects: 2 }}{broken}")
    site.write(sources=limited)
    site.run("reload")
    eventually(lambda: len(rejects(site)) == 2)
    assert "dropped the oldest rejects" in site.said()
    assert [position.rpartition(" ")[2] for position in rejects(site)] == ["5", "6"]

    site.write(sources=limited, top="retention: { rejects: 0s }\n")
    site.run("reload")
    eventually(lambda: rejects(site) == [])
    assert "dropped rejects that are too old" in site.said()
    site.balances()
