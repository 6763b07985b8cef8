"""The verbs for authors of plugins: begin one, and see whether it keeps the contract."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import click

from cgsync.errors import ControlError


@click.command(name="new")
@click.argument("name")
@click.option("--folder", type=click.Path(path_type=Path), help="Where to; else cgsync-source-NAME.")
def new(name: str, folder: Path | None) -> None:
    """Write a plugin NAME as a package that works and passes its tests: change it from there."""
    from cgsync.cli.skeleton import files, module_of
    from cgsync.plugins.soundness import NAME, reserved

    if not NAME.fullmatch(name) or name in reserved() or not module_of(name).isidentifier():
        raise click.UsageError(
            f"{name!r} cannot be a plugin: small letters, digits, - and _, and no option of a source"
        )
    target = folder or Path(f"cgsync-source-{name}")
    if target.exists():
        raise ControlError(f"{target} is there already", hint="name another with --folder")
    target.mkdir(parents=True)
    for file, text in files(name).items():
        (target / file).write_text(text, encoding="utf-8")
        click.echo(target / file)
    click.echo(f"\nNext:\n  cgsync plugin verify {target}\n  pip install {target}")


@click.command(name="verify")
@click.argument("what", metavar="NAME|FOLDER")
def verify(what: str) -> None:
    """Run the tests of a plugin that is installed, or of one in FOLDER; the exit status is theirs."""
    folder = Path(what) if Path(what).is_dir() else _home(what)
    if not [*folder.glob("test_*.py"), *folder.glob("tests/**/test_*.py")]:
        raise ControlError(f"there are no tests in {folder}", hint="`cgsync plugin new` shows how they look")
    for needed in ("pytest", "pytest_asyncio"):
        if find_spec(needed) is None:
            raise ControlError(f"{needed} is not installed", hint="pip install pytest pytest-asyncio")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", ".", "."]
    paths = os.pathsep.join(filter(None, [str(folder.resolve()), os.environ.get("PYTHONPATH")]))
    ended = subprocess.run(command, cwd=folder, env={**os.environ, "PYTHONPATH": paths}, check=False)  # noqa: S603 - no shell, and the tests are what one asked for
    sys.exit(min(ended.returncode, 1))


def _home(name: str) -> Path:
    """The folder in which the package of an installed plugin lies, once the plugin itself is sound."""
    from cgsync import plugins
    from cgsync.cli.plugins import kind_of
    from cgsync.plugins.presets import check

    check(kind_of(name, plugins.load([name] if name in plugins.names() else plugins.names())))
    module = next(each.module for each in plugins.installed() if each.name == name)
    spec = find_spec(module.partition(":")[0])
    if spec is None or spec.origin is None:
        raise ControlError(f"nobody can tell where {module} lies", hint="name its folder")
    return Path(spec.origin).parent
