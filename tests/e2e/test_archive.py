"""A file is moved away only after all its records are stored, and nothing in the archive is overwritten."""

from __future__ import annotations

import signal

from tests.e2e.installation import Site, eventually, orders


def archived(site: Site) -> list[str]:
    return sorted(file.name for file in (site.drop / "archive").glob("*.csv"))


def test_a_file_is_archived_once_it_is_stored_and_the_next_of_that_name_beside_it(site: Site) -> None:
    site.write(sources=site.source("orders", site.drop, files=", after: { move: archive/ }"))
    site.put("a.csv", orders(700))
    site.running()
    eventually(lambda: archived(site) == ["a.csv"])
    assert site.json("status")["sources"][0]["read"] == 700
    site.put("a.csv", orders(3, start=1000))
    eventually(lambda: len(archived(site)) == 2)
    eventually(lambda: len(site.sandbox.activities) == 703)
    assert not list(site.drop.glob("*.csv"))
    site.balances()


def test_what_a_kill_left_unsettled_is_settled_at_the_next_start(site: Site) -> None:
    """While the archive cannot be written, records go out all the same and the file stays; then it is moved."""
    site.write(sources=site.source("orders", site.drop, files=", after: { move: archive/ }"))
    (site.drop / "archive").write_text("in the way")
    site.put("a.csv", orders(5))
    daemon = site.running()
    eventually(lambda: len(site.sandbox.activities) == 5)
    eventually(lambda: "could not settle" in site.said())
    eventually(lambda: not site.ask("status")["outbox"].get("pending"))
    daemon.send_signal(signal.SIGKILL)
    daemon.wait(10)
    (site.drop / "archive").unlink()
    assert (site.drop / "a.csv").exists()
    site.running()
    eventually(lambda: archived(site) == ["a.csv"])
    assert site.sandbox.stats["puts"] == 5
