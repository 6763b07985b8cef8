"""A finding is shown with its place, its line, a caret under what is meant, and what to do."""

from __future__ import annotations

from pathlib import Path

from cgsync.config import Diagnostic, render
from cgsync.config.findings import Findings, meant
from cgsync.config.nodes import Span

FILE = Path("c.yaml")


def found(
    text: str, *spans: tuple[int, int, int, int], hidden: tuple[tuple[int, int, int, int], ...] = ()
) -> Diagnostic:
    findings = Findings()
    findings.read(FILE, text)
    for span in hidden:
        findings.hide(_span(*span))
    findings.at(_span(*spans[0]), ("a",), "is wrong")
    return findings.diagnostics("error")[0]


def _span(line: int, column: int, end_line: int, end_column: int) -> Span:
    return Span(file=FILE, line=line, column=column, end_line=end_line, end_column=end_column)


def test_the_caret_is_as_wide_as_what_it_means() -> None:
    assert render([found("a: value\n", (0, 3, 0, 8))]).splitlines()[2] == "   |    ^^^^^"


def test_a_value_over_several_lines_is_underlined_to_the_end_of_its_first() -> None:
    assert render([found("a: [x,\n  y]\n", (0, 3, 1, 4))]).splitlines()[2].count("^") == 3


def test_a_secret_in_the_line_is_masked_and_the_caret_stays_under_its_word() -> None:
    lines = render(
        [found("{ pw: a-very-long-secret, x: wrong }", (0, 29, 0, 34), hidden=((0, 6, 0, 24),))]
    ).splitlines()
    assert "secret" not in lines[1]
    assert lines[1][lines[2].index("^") :][:5] == "wrong"


def test_a_secret_under_the_caret_is_masked_whatever_its_length() -> None:
    lines = render([found("pw: abc", (0, 4, 0, 7), hidden=((0, 4, 0, 7),))]).splitlines()
    assert lines[1].endswith("pw: ********")
    assert lines[2].endswith("    ^^^^^^^^")


def test_every_line_of_a_secret_over_several_is_masked() -> None:
    shown = found("pw: |\n  first\n  second\nx: 1", (2, 2, 2, 8), hidden=((0, 4, 3, 0),))
    assert shown.snippet == "  ********"
    assert found("pw: |\n  first\nx: 1", (2, 0, 2, 1), hidden=((0, 4, 2, 0),)).snippet == "x: 1"


def test_a_long_line_is_cut_around_the_caret() -> None:
    shown = found(f"a: [{'x, ' * 500}bad]", (0, 1504, 0, 1507))
    assert len(shown.snippet) <= 200
    assert shown.snippet[shown.caret :][: shown.width] == "bad"


def test_nothing_in_a_line_can_move_the_cursor() -> None:
    shown = render([found("a:\t\u202eevil\u2028", (0, 3, 0, 8))])
    assert "\u202e" not in shown
    assert "\t" not in shown


def test_colour_is_asked_for() -> None:
    one = found("a: x", (0, 3, 0, 4))
    assert "\x1b[" not in render([one])
    assert "\x1b[31m" in render([one], color=True)


def test_a_finding_about_a_whole_file_has_no_line() -> None:
    findings = Findings()
    findings.file(FILE, "cannot be read")
    assert render(findings.diagnostics("error")) == "c.yaml: cannot be read"


def test_a_slip_is_recognised_and_a_stranger_is_not() -> None:
    assert meant("paginat", ["paginate", "params"]) == "paginate"
    assert meant("EVERY", ["every"]) == "every"
    assert meant("zzz", ["every"]) == ""
