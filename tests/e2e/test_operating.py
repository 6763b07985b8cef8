"""Operating a daemon: what is paused stays paused over any restart, checkpoints move while it rests, polls at once."""

from __future__ import annotations

from typing import Any

from tests.e2e.desk import arrive, furnish, news
from tests.e2e.installation import Site, eventually, orders
from tests.e2e.launching import Process


def kill(daemon: Process) -> None:
    daemon.kill()
    daemon.wait(10)


def condition(site: Site, name: str = "orders") -> Any:
    return next(each["condition"] for each in site.json("status")["sources"] if each["source"] == name)


def test_a_paused_source_stays_paused_over_a_kill_and_a_restart_until_it_is_resumed(site: Site) -> None:
    second = site.folder / "second"
    second.mkdir()
    site.write(sources=site.source("orders", site.drop) + site.source("more", second))
    daemon = site.running()
    assert site.run("pause", "orders").stdout == "orders is paused; `cgsync resume orders` ends that\n"
    kill(daemon)
    site.put("a.csv", orders(3))
    (second / "b.csv").write_text(orders(2, start=100))
    site.running()
    eventually(lambda: len(site.sandbox.activities) == 2)
    site.run("reload")
    assert (condition(site), condition(site, "more")) == ("paused", "idle")
    assert "orders is paused" in site.json("status")["summary"]
    refused = site.run("poll", "orders", check=1)
    assert "cgsync resume orders" in refused.stderr
    assert len(site.sandbox.activities) == 2
    assert site.run("resume", "orders").stdout == "orders is resumed\n"
    eventually(lambda: len(site.sandbox.activities) == 5)


def test_sending_that_is_paused_stays_so_over_a_kill_while_sources_are_read(site: Site) -> None:
    daemon = site.running()
    site.run("pause", "--sending")
    site.put("a.csv", orders(5))
    eventually(lambda: site.ask("status")["outbox"].get("pending") == 5)
    kill(daemon)
    site.running()
    site.write(options="rate_limit: 5000/s\n  concurrency: 4")
    assert site.run("reload").stdout == "sender restarted\n"
    sender = site.json("status")["sender"]
    assert "paused by an operator since" in sender["because"]
    assert site.sandbox.stats["applied"] == 0
    site.run("resume", "--sending")
    eventually(lambda: site.sandbox.stats["applied"] == 5)
    assert site.json("status")["sender"]["state"] == "open"
    site.balances()


def test_a_checkpoint_is_moved_only_while_its_source_rests(site: Site) -> None:
    site.put("a.csv", orders(3))
    site.running()
    eventually(lambda: site.sandbox.stats["applied"] == 3)
    for words in (("set", "orders", "a.csv", "{}"), ("reset", "orders")):
        refused = site.run("checkpoint", *words, check=1)
        assert "source orders runs" in refused.stderr
        assert "cgsync pause orders" in refused.stderr
    site.run("pause", "orders")
    site.run("checkpoint", "reset", "orders", "a.csv")
    site.run("resume", "orders")
    eventually(lambda: site.ask("status")["sources"][0]["read"] == 6)
    assert site.sandbox.stats["applied"] == 3, "what did not change is not sent again"


def test_a_poll_is_made_at_once_and_says_what_came(site: Site) -> None:
    furnish(site, every="1h")
    site.running()
    eventually(lambda: condition(site, "desk") == "idle")
    arrive(site, 1, 2, 3)
    assert site.json("poll", "desk")["counts"] == {"read": 3, "mapped": 3, "activities": 3, "new": 3}
    eventually(lambda: site.sandbox.stats["applied"] == 3)
    assert site.run("poll", "desk").stdout == "desk has nothing new\n"
    news(site).unlink()
    failed = site.run("poll", "desk", check=1)
    assert "FileNotFoundError" in failed.stderr
    assert "this is a bug of the plugin" in failed.stderr
    assert condition(site, "desk") == "held"
    news(site).touch()
    arrive(site, 1, 2, 3, 4)
    assert site.json("poll", "desk")["counts"]["read"] == 1


def test_a_poll_without_a_daemon_takes_in_what_is_there_and_it_is_sent_later(site: Site) -> None:
    site.run("run", "--once")
    site.put("a.csv", orders(3))
    polled = site.json("poll", "orders")
    assert polled["counts"] == {"read": 3, "mapped": 3, "activities": 3, "new": 3}
    assert site.sandbox.stats["applied"] == 0
    site.run("run", "--once")
    assert site.sandbox.stats["applied"] == 3
