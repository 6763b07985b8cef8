"""Bad rows are rejects and the file goes on; a bad file is a problem and the others go on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cgsync.api import SourceMisconfigured, Unreadable
from cgsync.testing.driving import Driver, Step, keys

Over = Callable[..., Driver]


def rejects(steps: list[Step]) -> list[Unreadable]:
    return [reject for step in steps for reject in step.batch.rejects]


def problems(steps: list[Step]) -> list[str]:
    return [problem.reason for step in steps for problem in step.batch.problems]


async def test_a_bad_row_is_a_reject_with_its_line(over: Over, drop: Path) -> None:
    (drop / "a.csv").write_bytes(b"no,text\n1,x\n2\n3,\xff\n4,y\n")
    steps = await over().reopened({})
    assert keys(steps) == ["1", "4"]
    assert [(reject.position, reject.raw) for reject in rejects(steps)] == [
        ("a.csv line 3", b"2\n"),
        ("a.csv line 4", b"3,\xff\n"),
    ]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ('{"x":1}', "there is no field 'no', which is the key"),
        ('{"no":""}', "the key 'no' is empty"),
        ('{"no":null}', "the key 'no' is neither text nor an integer"),
        ('{"no":true}', "the key 'no' is neither text nor an integer"),
        ('{"no":1,"at":"yesterday"}', "the revision 'at' is neither an integer nor an ISO 8601 time"),
    ],
)
async def test_a_row_without_a_key_or_a_revision_is_a_reject(over: Over, drop: Path, row: str, words: str) -> None:
    (drop / "a.jsonl").write_text(row + '\n{"no":2,"at":"2024-05-01T10:00:00+02:00"}\n')
    steps = await over(revision="at").reopened({})
    assert keys(steps) == ["2"]
    assert [reject.reason for reject in rejects(steps)] == [words]


async def test_revisions_are_integers_or_times_in_utc(over: Over, drop: Path) -> None:
    (drop / "a.csv").write_text("no,at\n1,17\n2,2024-05-01T10:00:00+02:00\n3,2024-05-01 10:00:00\n")
    revisions = [record.revision for step in await over(revision="at").reopened({}) for record in step.batch.records]
    assert [str(revision) for revision in revisions] == ["17", "2024-05-01 08:00:00+00:00", "2024-05-01 10:00:00+00:00"]


async def test_a_row_key_does_not_depend_on_the_name_of_the_file(over: Over, drop: Path) -> None:
    (drop / "a.csv").write_text("x,y\n1,2\n1,2\n")
    one = keys(await over(key="row").reopened({}))
    (drop / "a.csv").rename(drop / "b.csv")
    assert keys(await over(key="row").reopened({})) == one
    assert len(set(one)) == 2


async def test_keys_of_several_columns_do_not_run_into_each_other(over: Over, drop: Path) -> None:
    (drop / "a.csv").write_text("a,b\nx:y,z\nx,y:z\nx\\,y\n")
    found = keys(await over(key=["a", "b"]).reopened({}))
    assert len(set(found)) == len(found) == 3


async def test_an_array_that_is_cut_short_keeps_what_came_before(over: Over, drop: Path) -> None:
    (drop / "a.json").write_text('[{"no":1},{"no":2},{"no"')
    (drop / "b.json").write_text('[{"no":3}]')
    steps = await over().reopened({})
    assert keys(steps) == ["1", "2", "3"]
    assert rejects(steps)[0].position == "a.json line 1"
    assert "ends inside a record" in problems(steps)[0]
    assert await over().reopened(steps[-1].behind) == []


async def test_a_file_with_too_many_bad_rows_is_given_up(over: Over, drop: Path) -> None:
    (drop / "a.csv").write_text("no,text\n" + "1\n" * 20 + "2,x\n")
    (drop / "b.csv").write_text("no,text\n3,x\n")
    steps = await over(limits={"bad_rows": 10}).reopened({})
    assert keys(steps) == ["3"]
    assert problems(steps) == ["a.csv: it has more than 10 bad rows"]
    assert len(rejects(steps)) == 11


async def test_more_than_a_batch_of_bad_rows_in_a_row_is_read(over: Over, drop: Path) -> None:
    (drop / "a.csv").write_text("no,text\n" + "1\n" * 1300 + "2,x\n")
    steps = await over().reopened({})
    assert keys(steps) == ["2"]
    assert len(rejects(steps)) == 1300
    assert max(len(step.batch.rejects) for step in steps) == 500


async def test_a_file_of_another_format_is_a_problem_of_its_own(over: Over, drop: Path) -> None:
    (drop / "a.csv").write_bytes(b"PK\x03\x04 and so on")
    (drop / "b.csv").write_text("no\n1\n")
    steps = await over().reopened({})
    assert keys(steps) == ["1"]
    assert "a ZIP archive or a spreadsheet" in problems(steps)[0]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"encoding": "klingon"}, "there is no encoding"),
        ({"fallback_encoding": "utf-16"}, "cannot follow UTF-8"),
        ({"after": {"move": "."}}, "in the folder that is read"),
        ({"after": {"move": "{name}.done"}}, "in the folder that is read"),
        ({"after": {"move": "%Y/"}, "recursive": True}, "in the folder that is read"),
    ],
)
async def test_options_that_cannot_work_are_refused(over: Over, options: dict[str, object], words: str) -> None:
    with pytest.raises(SourceMisconfigured, match=words):
        await over(**options).reopened({})


async def test_a_path_that_is_no_folder_needs_a_human(over: Over, drop: Path) -> None:
    drop.rmdir()
    drop.touch()
    with pytest.raises(SourceMisconfigured, match="is not a folder"):
        await over().reopened({})
