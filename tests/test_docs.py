"""Every example in the documents works: it is loaded, parsed or run."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent

import click
import pytest

from cgsync import config
from cgsync.cli import VERBS, cli
from cgsync.delivery.steering import HINTS
from cgsync.errors import CgsyncError
from cgsync.health import Condition

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("plugins/*/README.md")])
ENVIRONMENT = {"CG_CLIENT_ID": "docs", "CGSYNC_CONFIG": "/etc/cgsync/config.yaml"}
PLUGIN_GUIDE = ROOT / "docs" / "plugins.md"


@dataclass(frozen=True, slots=True)
class Example:
    """A fenced block: where it stands, its language, the words behind that, and its text."""

    page: Path
    line: int
    language: str
    words: dict[str, str]
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def examples(*languages: str) -> list[Example]:
    return [each for page in PAGES for each in _blocks(page) if each.language in languages]


def _blocks(page: Path) -> Iterator[Example]:
    text = page.read_text(encoding="utf-8")
    for found in re.finditer(r"^```(\w+) ?(.*)\n((?:.*\n)*?)```$", text, re.MULTILINE):
        words = dict(re.findall(r"(\w+)=?(\S*)", found[2]))
        yield Example(page, text.count("\n", 0, found.start()) + 1, found[1], words, found[3])


def commands() -> list[tuple[str, list[str]]]:
    """Every line of a shell example that is a command of ours, without its comment and what follows a pipe."""
    return [
        (f"{example}: {line}", shlex.split(re.split(r" [|>] ", line)[0], comments=True)[1:])
        for example in examples("sh")
        for line in example.text.splitlines()
        if line.startswith("cgsync ")
    ]


def test_there_are_examples() -> None:
    """A pattern that finds nothing would let everything pass."""
    assert len(examples("yaml")) >= 4
    assert len(commands()) >= 20


@pytest.mark.parametrize("example", examples("yaml"), ids=str)
def test_a_configuration_in_the_documents_is_accepted(
    example: Example, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plugin_package: Path
) -> None:
    if "requires" in example.words:
        monkeypatch.syspath_prepend(str(plugin_package))
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    for name in {"cg-client-secret", *re.findall(r"\$\{credential:([\w-]+)\}", example.text)}:
        (credentials / name).write_text("a secret of the documents")
    (tmp_path / "accounts.csv").write_text("domain,account\nacme.example,Acme\n")
    path = tmp_path / "config.yaml"
    path.write_text(_whole(example))
    path.chmod(0o600)
    loaded = config.load(path, environ=ENVIRONMENT | {"CREDENTIALS_DIRECTORY": str(credentials)})
    assert loaded.sources
    assert not loaded.broken
    assert not loaded.warnings


def _whole(example: Example) -> str:
    """A plugin's README shows its options alone, the page of a preset its sources alone."""
    name = example.page.parent.name.removeprefix("cgsync_")
    receiver = "customergauge: { region: eu, client_id: docs, client_secret: '${credential:cg-client-secret}' }\n"
    if example.text.startswith("sources:"):
        return receiver + example.text
    if example.page.parent.parent.name != "plugins":
        return example.text
    head = f"{receiver}sources:\n"
    mapping = "    activity: { account: Acme, type: Order, source: Docs, happened_at: '{{ record.at }}' }\n"
    return f"{head}  shown:\n{mapping}    {name}:\n{indent(example.text, ' ' * 6)}"


@pytest.mark.parametrize("words", [words for _, words in commands()], ids=[where for where, _ in commands()])
def test_a_command_in_the_documents_is_one_that_the_program_takes(
    words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CGSYNC_CONFIG", ENVIRONMENT["CGSYNC_CONFIG"])
    command, name, parent = cli, "cgsync", None
    while True:
        context = command.make_context(name, list(words), parent=parent)
        if not isinstance(command, click.Group):
            return
        name, found, words = command.resolve_command(context, [*context._protected_args, *context.args])
        assert found is not None
        command, parent = found, context


@pytest.mark.parametrize("verb", VERBS)
def test_every_command_is_in_the_operator_guide(verb: str) -> None:
    guide = (ROOT / "docs" / "operators.md").read_text()
    table = guide[guide.index("## Every command") :]
    assert f"| `cgsync {verb}" in table


def test_every_exit_status_is_in_the_operator_guide() -> None:
    guide = (ROOT / "docs" / "operators.md").read_text()
    table = guide[guide.index("## Exit statuses") : guide.index("## Backup")]
    documented = {int(number) for number in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)}
    assert {error.exit_status for error in _errors(CgsyncError)} <= documented


def _errors(error: type[CgsyncError]) -> Iterator[type[CgsyncError]]:
    yield error
    for each in error.__subclasses__():
        yield from _errors(each)


def test_every_pause_and_every_condition_is_in_the_operator_guide() -> None:
    guide = (ROOT / "docs" / "operators.md").read_text()
    rows = "".join(
        line.lstrip(" |").partition(" | ")[0] for line in guide.splitlines() if line.lstrip().startswith("|")
    )
    assert {str(word) for word in (*HINTS, *Condition) if f"`{word}`" not in rows} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_within_the_project_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if target.startswith(("http://", "https://")):
            continue
        path, _, heading = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), target
        assert not heading or heading in _headings(linked), target


def _headings(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-") for title in titles}


@pytest.fixture(scope="module")
def plugin_source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the plugin guide's package, as a reader would copy them."""
    folder = tmp_path_factory.mktemp("plugin")
    for example in _blocks(PLUGIN_GUIDE):
        if name := example.words.get("file"):
            (folder / name).write_text(example.text)
    return folder


@pytest.fixture(scope="module")
def plugin_package(plugin_source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That package, installed beside cgsync."""
    target = tmp_path_factory.mktemp("installed")
    options = ["-q", "--no-deps", "--no-build-isolation", "--no-index", "--target", target]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, plugin_source], check=True)
    return target


@pytest.mark.parametrize("example", [each for each in examples("python") if "file" not in each.words], ids=str)
def test_a_program_in_the_documents_runs(example: Example, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", example.text], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_plugin_of_the_guide_passes_the_conformance_kit(plugin_source: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "pyproject.toml", "."],
        cwd=plugin_source,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\d+ passed", done.stdout)


def test_the_plugin_of_the_guide_is_as_clean_as_our_own_code(plugin_source: Path) -> None:
    """It is what people copy."""
    for tool in (["ruff", "check", "--config", ROOT / "pyproject.toml"], ["mypy", "--strict"]):
        done = subprocess.run([sys.executable, "-m", *tool, "."], cwd=plugin_source, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def hints() -> list[str]:
    """Commands that our own messages tell people to type, in backticks."""
    code = "".join(path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("cgsync/**/*.py")))
    return sorted(set(re.findall(r"`cgsync ([a-z][^`{]*)`", code)))


@pytest.mark.parametrize("hint", hints())
def test_a_command_in_a_message_is_one_that_the_program_has(hint: str) -> None:
    """A hint is a command that the operator can type; what it needs beside the verb may be left out."""
    command: click.Command | None = cli
    for word in shlex.split(hint):
        if isinstance(command, click.Group):
            command = command.get_command(click.Context(command), word)
            assert command is not None, word
        elif word.startswith("--"):
            assert any(word in parameter.opts for parameter in command.params), word
