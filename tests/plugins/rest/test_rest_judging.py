"""What is wrong with the options is said by `cgsync check`, at its line, before anything is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from cgsync.config import ConfigInvalid, Diagnostic, load
from cgsync.secrets import Redactor

TOP = """
customergauge: { region: eu, client_id: a, client_secret: b }
sources:
  desk:
    activity: { reference: "d-{{ record.id }}", account: x, type: y, source: z, happened_at: "{{ record.at }}" }
    rest:
      url: https://acme.example/api/tickets
      key: id
"""


def found(folder: Path, options: str) -> Diagnostic:
    """The one mistake in a configuration whose REST source has these options, too."""
    path = folder / "cgsync.yaml"
    path.write_text(TOP + f"      {options}\n")
    path.chmod(0o600)
    with pytest.raises(ConfigInvalid) as caught:
        load(path, redactor=Redactor())
    (only,) = caught.value.diagnostics
    return only


@pytest.mark.parametrize(
    ("options", "path", "words"),
    [
        ('records: "$.tickets[*"', "records", "is no JSONPath"),
        ('enrich: { company: { url: "/c", records: "$[" } }', "enrich.company.records", "is no JSONPath"),
        ("incremental: { field: at, param: since, start: last week }", "incremental.start", "is no time"),
        ("incremental: { field: at, stop_at_seen: true }", "incremental", "needs `order: desc`"),
        ('params: { q: "{{ now | }}" }', "params.q", "is no template"),
        ("errors: [{ when: 'response.status = 404', do: ignore }]", "errors[0].when", "asks nothing"),
        ("decode: { encoding: utf-9 }", "decode.encoding", "there is no encoding"),
        ('for_each: { parent: { request: { url: "/p" }, records: "$[", key: id } }', "for_each", "is no JSONPath"),
    ],
)
def test_it_is_found_at_its_place(tmp_path: Path, options: str, path: str, words: str) -> None:
    mistake = found(tmp_path, options)
    assert mistake.path.startswith(f"sources.desk.rest.{path}")
    assert words in mistake.message
    assert mistake.line == 9
