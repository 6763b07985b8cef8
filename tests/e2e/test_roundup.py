"""A ticket system that others wrote is read by the general options alone, at first whole, then only what changed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests import needs
from tests.e2e.installation import Site, eventually
from tests.e2e.roundup import ENVIRONMENT, Tracker, tracker

pytestmark = needs.given(ENVIRONMENT.is_dir(), "Roundup: make .venv-roundup/.roundup")

AUTHORS = {"3": "ann", "4": "bjorn", "5": "chloe", "6": "dora", "7": "emil"}
"""Accounts by the number that Roundup gives them; 1 and 2 are its own."""
STATES = ("unread", "deferred", "chatting", "need-eg", "in-progress", "testing", "done-cbb", "resolved")
EACH = 100
"""Tickets of an author."""

SOURCE = """
  desk:
    every: 1s
    rest:
      url: URLrest/data/issue
      auth: { basic: { username: admin, password: admin } }
      params:
        "@fields": title,status.name,creator.address,creation,activity
        "@verbose": 0
        "@sort": activity,id
        "@page_size": 100
      records: "$.data.collection[*]"
      key: id
      paginate: { next_url: { path: "$.data['@links'].next[0].uri" } }
      incremental:
        field: activity
        formats: ["%Y-%m-%d.%H:%M:%S"]
        param: activity
        request_format: "from %Y-%m-%d.%H:%M:%S"
        order: asc
        lookback: 5s
    as: ticket
    activity:
      reference: "roundup-{{ ticket.id }}"
      account: Acme
      contact: "{{ ticket['creator.address'] }}"
      type: Ticket
      source: Roundup
      happened_at: "{{ ticket.creation | datetime('%Y-%m-%d.%H:%M:%S') }}"
      additional_information_object:
        title: "{{ ticket.title }}"
        status: "{{ ticket['status.name'] }}"
        changed: "{{ ticket.activity }}"
"""


@pytest.fixture
def roundup(tmp_path: Path) -> Iterator[Tracker]:
    """With five hundred tickets of five authors."""
    with tracker(tmp_path / "roundup") as running:
        running.type(*(register(name) for name in AUTHORS.values()))
        for name in AUTHORS.values():
            running.type(*(create(number, name) for number in range(EACH)), user=f"{name}:x")
        yield running


def address(name: str) -> str:
    return f"{name}@example.com"


def register(name: str) -> str:
    return f"create user username={name} address={address(name)} roles=User password=x"


def create(number: int, name: str) -> str:
    return f'create issue title="{name}: Öl läuft aus, {number} & <mehr>" status={number % len(STATES) + 1}'


def test_each_ticket_arrives_once_and_whole_and_then_only_what_changed(site: Site, roundup: Tracker) -> None:
    site.write(sources=SOURCE.replace("URL", roundup.url))
    daemon = site.running()
    tickets = roundup.tickets()
    assert len(tickets) == EACH * len(AUTHORS)
    eventually(lambda: len(site.sandbox.log()) >= len(tickets))
    polled(roundup)
    assert arrived(site) == expected(tickets)
    before = len(site.sandbox.log())
    assert before == len(tickets)

    roundup.type("set issue7 status=8", 'set issue250 title="Ganz anders"', "set issue500 status=1")
    roundup.type(create(500, "dora"), create(501, "dora"), user="dora:x")
    changed = {number: now for number, now in roundup.tickets().items() if now != tickets.get(number)}
    assert set(changed) == {"7", "250", "500", "501", "502"}
    eventually(lambda: len(site.sandbox.log()) >= before + len(changed))
    polled(roundup)
    puts = site.sandbox.log(after=before)
    assert sorted(put["reference"] for put in puts) == sorted(f"roundup-{number}" for number in changed)
    assert daemon.poll() is None
    assert arrived(site) == expected(roundup.tickets())


def polled(roundup: Tracker) -> None:
    """A poll that began after this was called has ended."""
    before = roundup.asked
    eventually(lambda: roundup.asked >= before + 2)


def arrived(site: Site) -> Mapping[str, Any]:
    return {reference: json.loads(each["body"]) for reference, each in site.sandbox.activities.items()}


def expected(tickets: Mapping[str, Mapping[str, str]]) -> Mapping[str, Any]:
    return {f"roundup-{number}": activity(number, ticket) for number, ticket in tickets.items()}


def activity(number: str, ticket: Mapping[str, str]) -> Mapping[str, Any]:
    """What CustomerGauge should hold of a ticket as Roundup lists it."""
    status, creator = STATES[int(ticket["status"]) - 1], ticket["creator"]
    return {
        "reference": f"roundup-{number}",
        "account": "Acme",
        "contact": address(AUTHORS[creator]),
        "type": "Ticket",
        "source": "Roundup",
        "happened_at": ticket["creation"].replace(".", " "),
        "additional_information_object": {
            "title": ticket["title"],
            "status": status,
            "changed": ticket["activity"],
        },
    }
