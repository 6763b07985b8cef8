"""The configuration's own tests: recorded once, run without network, compared field by field."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Office, Said
from tests.tickets import KEY, Desk, desk_api, ticket, write

Typed = Callable[..., Said]
TICKETS = (ticket(1), ticket(2), ticket(3, company=""), ticket(4, spam=True), ticket(5))
MAPPED = "    activity: { type: Call, additional_information_object: { subject: '{{ ticket.subject | upper }}' } }\n"


@pytest.fixture
def desk() -> Iterator[Desk]:
    with desk_api(*TICKETS) as running:
        yield running


class Bench:
    """A folder with a configuration and its tests."""

    def __init__(self, folder: Path, desk: Desk, type_it: Typed) -> None:
        self.folder = folder
        self.desk = desk
        self.file = write(folder, desk)
        self._type = type_it

    def write(self, **parts: str) -> None:
        write(self.folder, self.desk, **parts)

    def says(self, *words: str, status: int = 0) -> Said:
        said = self._type("test", *words, "-c", str(self.file))
        assert said.status == status, said
        return said

    def content(self, name: str, case: str = "support/recorded") -> Any:
        return json.loads((self.folder / "tests" / case / name).read_text())


@pytest.fixture
def bench(tmp_path: Path, desk: Desk, type_it: Typed) -> Bench:
    return Bench(tmp_path, desk, type_it)


def test_what_is_recorded_is_run_without_network(bench: Bench, desk: Desk) -> None:
    said = bench.says("support", "--record")
    assert said.out == "support/recorded  recorded  5 records, 3 mapped, 1 rejected, 1 left out\n"
    asked = len(desk.asked)
    desk.status = 500
    assert bench.says().out == "support/recorded  ok  5 records, 3 mapped, 1 rejected, 1 left out\n"
    assert len(desk.asked) == asked
    expected = bench.content("expected.json")
    assert [each["reference"] for each in expected["activities"]] == ["desk-1", "desk-2", "desk-5"]
    assert [each["reasons"] for each in expected["rejects"]] == [{"account": "is required"}]
    assert expected["filtered"] == {"mapping": 1}


def test_no_secret_is_kept_and_nobody_else_reads_it(bench: Bench) -> None:
    bench.says("support", "--record")
    for file in (bench.folder / "tests").rglob("*.json"):
        assert KEY not in file.read_text()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_it_runs_where_the_credentials_are_not(bench: Bench) -> None:
    """As in the pipeline of whoever keeps the configuration in git."""
    bench.says("support", "--record")
    text = bench.file.read_text().replace(KEY, "'${credential:nowhere}'").replace("a-secret-value", "${NOT_SET}")
    bench.file.write_text(text)
    assert bench.says().out == "support/recorded  ok  5 records, 3 mapped, 1 rejected, 1 left out\n"


def test_an_edit_of_the_mapping_is_told_field_by_field(bench: Bench) -> None:
    bench.says("support", "--record", "-n", "1")
    bench.write(source=MAPPED)
    said = bench.says(status=1)
    assert "  ≠ desk-1  type: Support Ticket → Call\n" in said.out
    assert (
        "  ≠ desk-1  additional_information_object.subject: Ticket 1 → TICKET 1\n"
        "      ← {{ ticket.subject | upper }}   ticket.subject: Ticket 1\n"
    ) in said.out
    [result] = bench.says("--json", status=1).json
    assert result["verdict"] == "differs"
    fields = {each["field"]: (each["expected"], each["got"]) for each in result["differences"]}
    assert fields["type"] == ("Support Ticket", "Call")


def test_what_is_made_rejected_and_left_out_otherwise_is_told(bench: Bench) -> None:
    bench.says("support", "--record")
    bench.write(
        source="    when: '{{ ticket.id != 1 }}'\n    activity: { account: \"{{ ticket.company or 'None' }}\", "
        "happened_at: \"{{ ticket.at if ticket.id != 2 else 'never' }}\" }\n"
    )
    out = bench.says(status=1).out
    assert "  - desk-1: is no longer made\n" in out
    assert "  + desk-3: was not made before\n" in out
    assert "  ≠ ticket 3: rejected, account: is required → not rejected\n" in out
    assert "  ≠ ticket 2: not rejected → rejected, happened_at: " in out


def test_update_takes_what_is_there_today(bench: Bench) -> None:
    bench.says("support", "--record")
    bench.write(source=MAPPED)
    assert bench.says("--update").out.startswith(
        "support/recorded  updated  5 records, 3 mapped, 1 rejected, 1 left out\n"
    )
    assert bench.says().out == "support/recorded  ok  5 records, 3 mapped, 1 rejected, 1 left out\n"


def test_a_recording_is_bounded_and_its_run_too(bench: Bench, desk: Desk) -> None:
    bench.says("support", "few", "--record", "-n", "3")
    assert len(desk.asked) == 2
    assert bench.content("expected.json", "support/few")["count"] == 3
    assert bench.says("support", "few").out == "support/few  ok  3 records, 2 mapped, 1 rejected\n"


def test_a_time_that_was_asked_for_is_asked_for_again(bench: Bench, desk: Desk) -> None:
    bench.says("support", "--record", "--since", "2026-03-01")
    assert "since=2026-03-01T00" in desk.asked[0]
    assert bench.says().out == "support/recorded  ok  5 records, 3 mapped, 1 rejected, 1 left out\n"
    assert "'soon' is no time" in bench.says("support", "--record", "--since", "soon", status=1).err


def test_a_request_that_was_not_recorded_is_named(bench: Bench) -> None:
    bench.says("support", "--record")
    plugin = bench.folder / "plugins" / "desk.py"
    plugin.write_text(plugin.read_text().replace("/tickets", "/cases"))
    said = bench.says(status=1)
    assert "support/recorded  failed" in said.out
    assert f"the cassette holds no answer to GET {bench.desk.url}/cases?page=1" in said.out


def test_a_source_that_is_gone_is_said(bench: Bench) -> None:
    bench.says("support", "--record")
    bench.file.write_text(bench.file.read_text().replace("support:", "help:"))
    assert "the configuration has no source of that name" in bench.says(status=1).out


def test_files_keep_their_records(office: Office) -> None:
    said = office.says("test", "orders", "--record")
    assert said.out == "orders/recorded  recorded  4 records, 2 mapped, 2 rejected\n"
    (office.drop / "orders.csv").unlink()
    assert office.says("test").out == "orders/recorded  ok  4 records, 2 mapped, 2 rejected\n"
    assert not (office.folder / "state").exists()
    kept = json.loads((office.folder / "tests/orders/recorded/records.json").read_text())
    assert kept["records"][0]["data"]["company"] == "Acme"


def test_unreadable_records_are_kept_as_they_were(office: Office) -> None:
    office.drop.joinpath("orders.csv").write_bytes(b"order_no,company\n1,A\xff\n2,B,C\n")
    office.says("test", "orders", "--record")
    said = office.says("test", "--json").json
    assert (said[0]["verdict"], said[0]["counts"]["records"]) == ("ok", 2)


def test_nothing_to_run_is_no_success(office: Office) -> None:
    said = office.says("test", status=1)
    assert "there is no test in " in said.err
    assert "record one with `cgsync test SOURCE --record`" in said.err
    assert "there is no test of source orders called x" in office.says("test", "orders", "x", status=1).err
    assert "say which SOURCE to record" in office.says("test", "--record", status=2).err


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 9}', '{"format": 1, "more": 2}'])
def test_a_file_that_is_no_expectation_is_named(office: Office, text: str) -> None:
    office.says("test", "orders", "--record")
    file = office.folder / "tests/orders/recorded/expected.json"
    file.write_text(text)
    said = office.says("test", status=1)
    assert str(file) in said.out
    (office.folder / "tests/orders/recorded/records.json").write_text(text)
    file.write_text('{"format": 1}')
    assert "records.json" in office.says("test", status=1).out
