"""Rejects that are sent by themselves once what stood against them is mended, with the real daemon as a process."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.installation import MAPPING, Sandbox, Site, eventually, orders

RARE = "1h"
LOOKED_UP = MAPPING.replace('"{{ order.company }}"', "\"{{ order.company | lookup('accounts') }}\"")
TABLE = "lookups:\n  accounts: { file: accounts.csv, key: company, value: account }\n"
UNKNOWN = {"message": "The given data was invalid.", "errors": {"account": ["is unknown"]}}


def rejected(site: Site) -> dict[str, int]:
    kinds = [each["kind"] for each in site.json("rejects", "list", "--each")]
    return {kind: kinds.count(kind) for kind in set(kinds)}


def all_there(site: Site, count: int) -> None:
    eventually(lambda: len(site.sandbox.activities) == count and rejected(site) == {})
    site.balances()


def accounts(folder: Path, *companies: int) -> None:
    text = "company,account\n" + "".join(f"Company {n},Account {n}\n" for n in companies)
    aside = folder / "accounts.part"
    aside.write_text(text)
    aside.rename(folder / "accounts.csv")


def test_an_edited_mapping_sends_what_was_invalid_and_what_was_refused(site: Site) -> None:
    """Nothing is read again: the source is polled once an hour."""
    broken = MAPPING.replace("order.note", "order.remark")
    site.write(sources=site.source("orders", site.drop, every=RARE, mapping=broken))
    site.put("a.csv", orders(4))
    site.running()
    eventually(lambda: rejected(site) == {"invalid": 4})
    site.sandbox.fault({"kind": "status", "status": 422, "body": UNKNOWN, "next": 4})
    site.write(sources=site.source("orders", site.drop, every=RARE))
    site.run("reload")
    eventually(lambda: rejected(site) == {"refused": 4})
    site.write(sources=site.source("orders", site.drop, every=RARE, mapping=MAPPING.replace("Shop export", "Shop")))
    site.run("reload")
    all_there(site, 4)
    assert {each["source"] for each in site.sandbox.activities.values()} == {"Shop"}


def test_a_lookup_that_gains_an_entry_sends_what_lacked_it(site: Site) -> None:
    accounts(site.folder, 0, 1, 2)
    site.write(top=TABLE, sources=site.source("orders", site.drop, every="2s", mapping=LOOKED_UP))
    site.put("a.csv", orders(4))
    site.running()
    eventually(lambda: len(site.sandbox.activities) == 3 and rejected(site) == {"invalid": 1})
    accounts(site.folder, 0, 1, 2, 3)
    all_there(site, 4)


def test_another_secret_tries_what_was_refused_once_more(site: Site) -> None:
    site.write(sources=site.source("orders", site.drop, every=RARE))
    site.sandbox.fault({"kind": "status", "status": 422, "body": UNKNOWN, "next": 3})
    site.put("a.csv", orders(3))
    site.running()
    eventually(lambda: rejected(site) == {"refused": 3})
    puts = site.sandbox.stats["puts"]
    site.run("reload")
    assert site.sandbox.stats["puts"] == puts, "nothing changed"
    port = int(site.sandbox.page.rstrip("/").rpartition(":")[2])
    site.sandbox.close()
    site.sandbox = Sandbox(port=port, secret="another")
    site.config.write_text(site.config.read_text().replace("client_secret: sandbox", "client_secret: another"))
    site.run("reload")
    all_there(site, 3)
    site.sandbox.close()
