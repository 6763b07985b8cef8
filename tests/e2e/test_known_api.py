"""An API that is known by a preset, read by the real daemon within a budget, previewed and recorded through it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from tests.e2e.installation import Site, eventually
from tests.tickets import KEY, PLUGIN, Desk, desk_api, ticket

TOP = "plugin_dir: plugins\nbudgets: { desks: RATE }\n"
SOURCE = """
  NAME:
    preset: desk-tickets
    every: 1s
    with: { url: "URL", key: KEY, team: NAME }
    desk: { rate_limit: { budget: desks } }
    activity: { reference: "NAME-{{ ticket.id }}" }
"""


@pytest.fixture
def desk() -> Iterator[Desk]:
    with desk_api(ticket(1), ticket(2), ticket(3, spam=True)) as running:
        yield running


@pytest.fixture
def known(site: Site, desk: Desk) -> Site:
    """Two sources of one desk, with one budget."""
    folder = site.folder / "plugins"
    folder.mkdir(mode=0o700)
    (folder / "desk.py").write_text(PLUGIN)
    one = SOURCE.replace("URL", desk.url).replace("KEY", KEY)
    site.write(top=TOP.replace("RATE", "50/s"), sources=one.replace("NAME", "red") + one.replace("NAME", "blue"))
    return site


def test_two_sources_of_one_preset_are_delivered(known: Site) -> None:
    known.running()
    eventually(lambda: len(known.sandbox.activities) == 4)
    activities = known.sandbox.activities
    assert set(activities) == {"red-1", "red-2", "blue-1", "blue-2"}
    body = json.loads(activities["red-1"]["body"])
    assert body["additional_information_object"] == {"subject": "Ticket 1", "team": "red"}


def test_a_daemon_previews_and_records_for_who_asks(known: Site, desk: Desk) -> None:
    """It alone may have the credentials; what is recorded belongs to who asked."""
    known.running()
    shown = known.json("preview", "red")
    assert [each["status"] for each in shown["requests"]] == [200]
    assert KEY not in json.dumps(shown)
    assert known.run("test", "red", "--record").returncode == 0
    kept = known.folder / "tests" / "red" / "recorded"
    assert {each.name for each in kept.iterdir()} == {"cassette.json", "expected.json"}
    assert KEY not in (kept / "cassette.json").read_text()
    desk.status = 500
    [result] = known.json("test")
    assert (result["verdict"], result["counts"]["records"]) == ("ok", 3)


def test_what_was_edited_is_tried_before_a_reload_takes_it(known: Site) -> None:
    known.running()
    known.config.write_text(known.config.read_text().replace("client_secret: sandbox", "client_secret: other"))
    tried = {each["what"]: each["verdict"] for each in known.json("check", "--online", check=1)}
    assert tried.pop("receiver") == "failed"
    assert set(tried.values()) == {"ok"}


def test_a_daemon_does_not_try_its_own_file_for_another(known: Site) -> None:
    known.running()
    draft = known.folder / "draft.yaml"
    draft.write_text(known.config.read_text())
    draft.chmod(0o600)
    link = known.folder / "link.yaml"
    link.symlink_to(known.config)
    for words in (["check", "--online"], ["preview", "red"], ["plan", "red"], ["reload"]):
        said = known.run(*words, "-c", str(draft), check=1).stderr
        assert f"works from {known.config.resolve()}, not from {draft}" in said
        known.run(*words, "-c", str(link))
    known.run("status", "-c", str(draft))


def test_a_reload_changes_the_rate_for_sources_that_go_on(known: Site, desk: Desk) -> None:
    known.running()
    eventually(lambda: len(known.sandbox.activities) == 4)
    known.write(top=TOP.replace("RATE", "6/m"))
    assert known.run("reload").returncode == 0
    before = len(desk.asked)
    time.sleep(4)  # eight polls at the old rate
    assert len(desk.asked) - before <= 2
