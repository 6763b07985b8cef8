"""Options that many verbs take, and where the configuration is looked for."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from cgsync.errors import ConfigError

F = TypeVar("F", bound=Callable[..., Any])

SYSTEM = Path("/etc/cgsync/config.yaml")


def config_option(command: F) -> F:
    """``-c FILE`` behind the verb; the same option before it is found in ``ctx.obj``."""
    return click.option(
        "-c", "--config", "config", metavar="FILE", callback=_path, help="The configuration file.", is_eager=True
    )(command)


def optional_config_option(command: F) -> F:
    """The same where it is of use but not needed: ``None`` when there is none."""
    return click.option(
        "-c", "--config", "config", metavar="FILE", callback=_path_if_any, help="The configuration file.", is_eager=True
    )(command)


def json_option(command: F) -> F:
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def _path(ctx: click.Context, _parameter: click.Parameter, value: str | None) -> Path:
    before = (ctx.find_root().obj or {}).get("config")
    return find(value or before)


def _path_if_any(ctx: click.Context, parameter: click.Parameter, value: str | None) -> Path | None:
    try:
        return _path(ctx, parameter, value)
    except ConfigError:
        return None


def find(named: str | None) -> Path:
    """The configuration file: what was named, else the first of the usual places that is there."""
    if named or (named := os.environ.get("CGSYNC_CONFIG")):
        return Path(named)
    here = Path("cgsync.yaml")
    distrust = _distrust(here) if here.is_file() else ""
    if here.is_file() and not distrust:
        return here
    if _is_there(SYSTEM):
        return SYSTEM
    raise ConfigError(
        distrust or f"there is no configuration: neither ./cgsync.yaml nor {SYSTEM}",
        hint="name one with `-c FILE`" + ("" if distrust else ", or write one with `cgsync init`"),
    )


def _is_there(path: Path) -> bool:
    """Whether it exists; what may not even be looked at does, and its place alone says where the daemon listens."""
    try:
        return path.exists()
    except PermissionError:
        return True


def _distrust(path: Path) -> str:
    """Why a file that happens to lie in the folder is not read; empty when it is."""
    if os.geteuid() == 0:
        return f"./{path} is not read for root, who might not have meant it"
    if path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"./{path} is not read, since others may write it"
    return ""
