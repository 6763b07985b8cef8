"""The life of the daemon: it stops in time, takes a changed configuration or says why not, and isolates trouble."""

from __future__ import annotations

import signal

from tests.e2e.installation import Site, eventually, orders


def test_sigterm_ends_an_idle_daemon_and_leaves_a_clean_stop_behind(site: Site) -> None:
    daemon = site.running()
    eventually(lambda: site.ask("status")["sources"][0]["condition"] == "idle")
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(10) == 0
    assert site.said().rstrip().endswith("stopped")
    assert not list((site.folder / "state").glob("*.sock"))


def test_sigterm_under_load_stores_what_was_in_flight_and_loses_nothing(site: Site) -> None:
    site.put("a.csv", orders(6_000))
    daemon = site.start()
    eventually(lambda: site.sandbox.stats["applied"] > 500)
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(60) == 0
    applied = site.sandbox.stats["applied"]
    [source] = site.json("status")["sources"]
    assert source["delivered"] == applied, "an answered PUT that was not stored would be sent once more"
    site.run("run", "--once")
    assert site.sandbox.stats["applied"] == 6_000
    assert len(site.sandbox.activities) == 6_000
    site.balances()


def test_a_reload_restarts_only_what_changed_and_refuses_what_is_wrong(site: Site) -> None:
    second = site.folder / "second"
    second.mkdir()
    site.put("a.csv", orders(5))
    daemon = site.running()
    eventually(lambda: len(site.sandbox.activities) == 5)

    both = site.source("orders", site.drop) + site.source("more", second)
    site.write(sources=both)
    assert site.run("reload").stdout == "started more\n"

    site.config.write_text(site.config.read_text().replace("every: 1s", "every: 1 fortnight", 1))
    refused = site.run("reload", check=1)
    assert "every" in refused.stderr
    assert "cgsync.yaml:" in refused.stderr
    assert daemon.poll() is None
    site.put("b.csv", orders(3, start=100))
    eventually(lambda: len(site.sandbox.activities) == 8)

    site.write(sources=both.replace("every: 1s", "every: 2s", 1))
    daemon.send_signal(signal.SIGHUP)
    eventually(lambda: "reloaded" in site.said().split("every")[-1])
    assert site.run("reload").stdout == "nothing changed\n"


def test_one_sources_trouble_never_touches_another(site: Site) -> None:
    site.write(sources=site.source("orders", site.drop) + site.source("lost", site.folder / "not-there"))
    site.put("a.csv", orders(5))
    site.running()
    eventually(lambda: len(site.sandbox.activities) == 5)
    status = eventually(lambda: (s := site.ask("status")) and s["trouble"] and s)
    conditions = {source["source"]: source["condition"] for source in status["sources"]}
    assert conditions["orders"] in {"idle", "polling"}
    assert conditions["lost"] in {"unavailable", "misconfigured"}
    site.put("b.csv", orders(5, start=50))
    eventually(lambda: len(site.sandbox.activities) == 10)


def test_a_second_daemon_is_told_who_holds_the_ledger(site: Site) -> None:
    daemon = site.running()
    second = site.run("run", "--once", check=None)
    assert second.returncode != 0
    assert str(daemon.pid) in second.stderr


def test_a_reload_signal_while_it_starts_is_not_its_end(site: Site) -> None:
    daemon = site.start()
    eventually((site.folder / "state" / "lock").exists)
    daemon.send_signal(signal.SIGHUP)
    eventually(lambda: "running" in site.said())
    assert daemon.poll() is None


def test_a_stop_signal_while_it_starts_ends_it_well(site: Site) -> None:
    daemon = site.start()
    eventually((site.folder / "state" / "lock").exists)
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(10) == 0
