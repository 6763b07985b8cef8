"""The verb that runs the configuration's own tests, records them, and writes anew what they expect."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cgsync.cli import output
from cgsync.cli.options import config_option, json_option
from cgsync.errors import CgsyncError, ConfigError, ControlError

if TYPE_CHECKING:
    from cgsync.cases import Case, Difference, Expected, Outcome
    from cgsync.config import Config
    from cgsync.secrets import Redactor


@click.command()
@click.argument("source", required=False)
@click.argument("name", required=False)
@click.option("--record", is_flag=True, help="Read SOURCE for real, and keep what it says as the test NAME (recorded).")
@click.option("--update", is_flag=True, help="Write anew what the tests expect, as it is today.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where the tests lie; else tests/ beside the file.")
@click.option(
    "-n", "count", default=20, show_default=True, type=click.IntRange(1, 10_000), help="Record so many records."
)
@click.option("--since", metavar="TIME", help="Record from that time on: 2024-05-01, or 2024-05-01T08:00+02:00.")
@config_option
@json_option
def test(source: str | None, name: str | None, *, record: bool, update: bool, config: Path, **options: Any) -> None:
    """Run the configuration's tests: what sources said once becomes what is expected, without network.

    All of them, those of SOURCE, or the one called NAME. Credentials that are not there are not needed.
    """
    root = options["folder"] or config.absolute().parent / "tests"
    if record:
        if source is None:
            raise click.UsageError("say which SOURCE to record")
        name = name or "recorded"
        _record(config, root, source, name, options["count"], options["since"])
    verdict = "recorded" if record else "updated" if update else ""
    _run(config, _chosen(root, source, name), verdict=verdict, as_json=options["as_json"])


def _record(config: Path, root: Path, source: str, name: str, count: int, since: str | None) -> None:
    import msgspec

    from cgsync import cases
    from cgsync.cli.session import Session

    told = Session(config).carry("record", source=source, count=count, since=since)
    recorded = msgspec.convert(told, cases.Recorded)
    case = cases.named(root, source, name)
    cases.keep(case, recorded)
    cases.Expected(count=recorded.count, since=recorded.since, until=recorded.until).save(case.expected)


def _chosen(root: Path, source: str | None, name: str | None) -> list[Case]:
    from cgsync.cases import cases

    found = [each for each in cases(root) if source in (None, each.source) and name in (None, each.name)]
    if not found:
        what = f" of source {source}{f' called {name}' if name else ''}" if source else ""
        raise ControlError(f"there is no test{what} in {root}", hint="record one with `cgsync test SOURCE --record`")
    return found


def _run(config: Path, chosen: Sequence[Case], *, verdict: str, as_json: bool) -> None:
    """Run them; where a ``verdict`` is given, what becomes of them is written down as what is expected."""
    from cgsync import logs
    from cgsync.config import load
    from cgsync.secrets import Redactor

    redactor = Redactor()
    loaded = load(config, redactor=redactor, placeholders=True)
    logs.configure("error", loaded.log.format, redactor)
    results = [_result(each, loaded, redactor, verdict) for each in chosen]
    if as_json:
        output.as_json(results)
    else:
        for result in results:
            _show(result)
    sys.exit(1 if any(result["verdict"] in ("differs", "failed") for result in results) else 0)


def _result(case: Case, config: Config, redactor: Redactor, verdict: str) -> dict[str, Any]:
    from cgsync.cases import compared

    told = {"source": case.source, "name": case.name, "differences": [], "counts": {}, "reason": "", "hint": ""}
    try:
        expected, outcome = _replayed(case, config, redactor, fresh=bool(verdict))
        differences = compared(expected, outcome, config.sources[case.source].mapping)
        if verdict:
            outcome.expected(expected).save(case.expected)
    except CgsyncError as error:
        return {**told, "verdict": "failed", "reason": redactor(error.message), "hint": error.hint}
    if verdict == "recorded":
        differences = []  # there was nothing before
    return {
        **told,
        "verdict": verdict or ("differs" if differences else "ok"),
        "counts": outcome.counts(),
        "differences": differences,
    }


def _replayed(case: Case, config: Config, redactor: Redactor, *, fresh: bool) -> tuple[Expected, Outcome]:
    import structlog

    from cgsync.cases import Expected, replayed
    from cgsync.contract import Contract

    if case.source not in config.sources:
        broken = config.broken.get(case.source)
        reason = broken.reason if broken else "the configuration has no source of that name"
        raise ConfigError(reason, hint="" if broken else f"rename or remove {case.folder.parent}")
    expected = Expected.load(case.expected) if case.expected.exists() or not fresh else Expected()
    run = replayed(
        case,
        config.sources[case.source],
        expected,
        contract=Contract(config.overlay),
        redactor=redactor,
        log=structlog.get_logger(),
    )
    return expected, asyncio.run(run)


def _show(result: Mapping[str, Any]) -> None:
    counts = ", ".join(f"{count} {what}" for what, count in result["counts"].items() if count)
    head = "  ".join(filter(None, [f"{result['source']}/{result['name']}", result["verdict"], counts]))
    click.secho(head, bold=True, color=output.colors())
    if result["reason"]:
        click.echo(f"  ✗ {output.plain(result['reason'])}")
    if result["hint"]:
        click.echo(f"    → {output.plain(result['hint'])}")
    for difference in result["differences"]:
        _difference(difference)


def _difference(difference: Difference) -> None:
    subject = output.plain(difference.subject)
    match difference.what:
        case "activity":
            lost = difference.got is None
            click.echo(f"  {'-' if lost else '+'} {subject}: {'is no longer made' if lost else 'was not made before'}")
        case "reject":
            click.echo(f"  ≠ {subject}: {_rejected(difference.expected)} → {_rejected(difference.got)}")
        case "filtered":
            click.echo(f"  ≠ left out ({subject}): {difference.expected} → {difference.got}")
        case _:
            click.echo(f"  ≠ {subject}  {difference.field}: {_value(difference.expected)} → {_value(difference.got)}")
            _origin(difference)


def _origin(difference: Difference) -> None:
    if difference.expression:
        found = ", ".join(f"{path}: {output.plain(value)}" for path, value in difference.origins.items())
        click.echo(f"      ← {output.plain(difference.expression)}{f'   {found}' if found else ''}")


def _rejected(reasons: Mapping[str, str] | None) -> str:
    if reasons is None:
        return "not rejected"
    words = "; ".join(f"{field}: {reason}" if field else reason for field, reason in reasons.items())
    return output.plain(f"rejected, {words}")


def _value(value: Any) -> str:
    return "nothing" if value is None else output.plain(value)
