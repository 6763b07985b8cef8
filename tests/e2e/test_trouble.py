"""Five kinds of HTTP trouble, with the real daemon as a process: what the class of failure says happens, no more."""

from __future__ import annotations

from tests.e2e.installation import Site, eventually, orders


def delivered(site: Site, count: int) -> None:
    eventually(lambda: len(site.sandbox.activities) == count and not site.ask("status")["outbox"].get("pending"))


def test_429_with_retry_after_stops_all_workers_for_that_long_and_counts_no_attempt(site: Site) -> None:
    site.put("a.csv", orders(200))
    site.sandbox.fault({"kind": "status", "status": 429, "headers": {"Retry-After": "2"}, "nth": 50})
    site.running()
    delivered(site, 200)
    times = [entry["at"] for entry in site.sandbox.log()]
    limited = next(n for n, entry in enumerate(site.sandbox.log()) if entry["status"] == 429)
    # workers that were on their way when the 429 came may still arrive; nothing starts after it for two seconds
    gaps = [after - before for before, after in zip(times[limited:], times[limited + 1 :], strict=False)]
    assert max(gaps) >= 1.7
    assert site.sandbox.stats["puts"] == 201
    site.balances()


def test_401_in_mid_run_refreshes_the_token_once_for_all_workers(site: Site) -> None:
    site.put("a.csv", orders(2000))
    site.start()
    eventually(lambda: site.sandbox.stats["applied"] > 200)
    site.sandbox.revoke_tokens()
    delivered(site, 2000)
    stats = site.sandbox.stats
    assert stats["tokens"] == 2
    assert stats["unauthenticated"] >= 1
    assert stats["tokens_refused"] == 0
    site.balances()


def test_500s_open_the_breaker_and_everything_arrives_afterwards(site: Site) -> None:
    site.put("a.csv", orders(300))
    site.sandbox.fault({"kind": "status", "status": 500, "next": 20})
    site.running()
    delivered(site, 300)
    stats = site.sandbox.stats
    assert stats["applied"] == 300
    failed = [entry for entry in site.sandbox.log() if entry["status"] == 500]
    assert len(failed) == 20
    site.balances()


def test_a_reset_after_the_body_was_applied_sends_again_and_the_reference_makes_it_harmless(site: Site) -> None:
    site.put("a.csv", orders(300))
    site.sandbox.fault({"kind": "reset_after", "every": 10})
    site.running()
    eventually(lambda: site.sandbox.stats["applied"] > 300)
    site.sandbox.clear_faults()
    delivered(site, 300)
    stats = site.sandbox.stats
    assert stats["created"] == 300
    assert stats["applied"] > 300
    bodies = {}
    for entry in site.sandbox.log():
        bodies.setdefault(entry["reference"], set()).add(str(entry["body"]))
    assert all(len(versions) == 1 for versions in bodies.values())
    site.balances()


def test_a_token_endpoint_that_refuses_pauses_loudly_and_loses_nothing(site: Site) -> None:
    site.put("a.csv", orders(50))
    site.sandbox.fault({"kind": "refuse_token"})
    site.running()
    trouble = eventually(lambda: [each for each in site.ask("status")["trouble"] if each["what"] == "sender"])
    assert "invalid_client" in trouble[0]["words"]
    assert trouble[0]["hint"]
    assert site.json("status")["outbox"] == {"pending": 50}
    assert site.sandbox.stats["puts"] == 0
    assert site.sandbox.stats["tokens_refused"] == 1, "one try, then a probe a quarter of an hour later"
    site.balances()
