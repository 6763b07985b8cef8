"""The real daemon: an edited mapping is planned and applied, and a run that surges waits for an operator."""

from __future__ import annotations

from tests.e2e.installation import MAPPING, Site, eventually, orders

EDITED = MAPPING.replace(
    'note: "{{ order.note }}"', "note: \"{{ 'seen' if order.order_no | int < 3 else order.note }}\""
)


def test_apply_sends_exactly_what_was_planned_and_then_nothing_is_planned(site: Site) -> None:
    site.put("a.csv", orders(10))
    site.running()
    eventually(lambda: site.ask("status")["sources"][0]["delivered"] == 10)
    site.write(sources=site.source("orders", site.drop, mapping=EDITED))
    planned = site.json("plan", "orders")
    assert planned["counts"]["updated"] == 3
    assert planned["counts"]["left alone"] == 7
    name = "additional_information_object.note"
    assert [change["fields"] for change in planned["changes"]] == [{name: {"old": "fine", "new": "seen"}}] * 3
    assert f"{name}: fine → seen" in site.run("plan", "orders", "--fields").stdout
    assert site.sandbox.stats["puts"] == 10

    site.run("apply", "orders")
    eventually(lambda: site.sandbox.stats["applied"] == 13)
    eventually(lambda: site.ask("status")["sources"][0]["delivered"] == 13)
    assert sorted(put["reference"] for put in site.sandbox.log(after=10)) == ["order-0", "order-1", "order-2"]
    assert "nothing would be sent" in site.run("plan", "orders").stdout
    site.balances()


def test_an_edit_that_is_wrong_is_refused_by_plan_and_apply_in_the_words_of_the_check(site: Site) -> None:
    site.put("a.csv", orders(1))
    site.running()
    eventually(lambda: len(site.sandbox.activities) == 1)
    site.write(sources=site.source("orders", site.drop, mapping=MAPPING.replace("account:", "acount:")))
    for verb in ("plan", "apply"):
        assert "acount" in site.run(verb, "orders", check=78).stderr


def test_a_run_that_surges_is_held_and_released(site: Site) -> None:
    site.running()
    while (runs := site.said().count("took in")) < 10:  # two files in one run would be one run
        site.put(f"{runs}.csv", orders(1, start=runs))
        eventually(lambda before=runs: site.said().count("took in") > before)
    eventually(lambda: site.ask("status")["sources"][0]["delivered"] == 10)
    site.put("surge.csv", orders(1_200, start=5_000))
    status = eventually(lambda: (found := site.ask("status"))["outbox"].get("held") == 200 and found)
    [trouble] = status["trouble"]
    assert "more than 1,000 activities" in trouble["words"]
    eventually(lambda: site.sandbox.stats["applied"] == 1_010)
    eventually(lambda: "the rest of the run is held" in site.said())
    site.balances()

    assert site.run("outbox", "release", "--source", "orders").stdout == "200 released\n"
    eventually(lambda: len(site.sandbox.activities) == 1_210)
    eventually(lambda: not site.ask("status")["outbox"].get("pending"))
    assert site.json("status")["trouble"] == []
    site.balances()


def test_a_run_that_makes_many_accounts_is_held_from_the_first_on_where_that_is_configured(site: Site) -> None:
    site.write(top="limits: { new_accounts: 3 }\n")
    site.put("a.csv", orders(20))
    site.running()
    eventually(lambda: site.ask("status")["outbox"].get("held") == 17)
    eventually(lambda: len(site.sandbox.activities) == 3)
    assert {row["state"] for row in site.json("outbox", "list")} == {"held"}
    site.run("outbox", "release", "order-3")
    eventually(lambda: len(site.sandbox.activities) == 4)
    site.run("outbox", "release", "--all")
    eventually(lambda: len(site.sandbox.activities) == 20)
    site.balances()
