"""A source of which nothing new comes for longer than it may is shown as silent, told once, and well when it comes."""

from __future__ import annotations

from typing import Any

from tests.e2e.installation import MAPPING, Site, eventually, orders

AN_HOUR, A_SECOND = (f"\n    freshness: {length}{MAPPING}" for length in ("1h", "1s"))


def told(site: Site) -> list[str]:
    """All that the daemon said of silence, in its order."""
    return [line for line in site.said().splitlines() if "silent" in line]


def row(site: Site) -> dict[str, Any]:
    return site.json("status")["sources"][0]


def test_a_silent_source_is_shown_and_told_once_over_a_restart_and_so_is_its_end(site: Site) -> None:
    site.write(sources=site.source("orders", site.drop, mapping=A_SECOND))
    daemon = site.running()
    eventually(lambda: told(site))
    shown = site.run("status").stdout
    assert "1 sources, 0 ok; orders silent since " in shown
    assert "! source orders: silent since " in shown
    assert "it can be read, but nothing new comes; `freshness:` allows 1s" in shown
    daemon.kill()
    daemon.wait(10)
    site.running()
    assert site.json("poll", "orders")["counts"] == {}
    assert row(site)["condition"] == "silent"
    assert len(told(site)) == 1
    site.write(sources=site.source("orders", site.drop, mapping=AN_HOUR))
    site.put("a.csv", orders(1))
    site.run("reload")
    eventually(lambda: len(told(site)) == 2)
    assert "source is no longer silent" in told(site)[1]
    now = row(site)
    assert (now["condition"], now["alarm"], now["freshness"]) == ("idle", None, 3600.0)
