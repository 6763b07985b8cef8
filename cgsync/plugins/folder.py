"""Plugins that are single files in a folder of the operator's."""

from __future__ import annotations

import importlib.util
import os
import stat
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

from cgsync.errors import PluginError


def find(name: str, plugin_dir: Path | None) -> Path | None:
    """The file that holds this plugin; raises :class:`PluginError` when others could have written it."""
    if plugin_dir is None:
        return None
    file = plugin_dir / f"{name}.py"
    if not file.is_file():
        return None
    for path in (plugin_dir, file):
        _distrust(path)
    return file


def names(plugin_dir: Path | None) -> list[str]:
    """The names of all plugins in the folder; none is imported."""
    if plugin_dir is None or not plugin_dir.is_dir():
        return []
    return sorted(file.stem for file in plugin_dir.glob("*.py"))


class _FromSource(SourceFileLoader):
    """Never from bytecode: that is told apart by size and whole seconds only, and others might have put it there."""

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 - the loader's signature
        return self.source_to_code(self.get_data(self.path), self.path)


def execute(file: Path) -> ModuleType:
    """The module that the file holds, made anew: a reload sees what was edited."""
    name = f"cgsync_plugin_dir.{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file, loader=_FromSource(name, str(file)))
    if spec is None or spec.loader is None:
        raise PluginError(f"{file} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their own module up
    spec.loader.exec_module(module)
    return module


def _distrust(path: Path) -> None:
    """What runs here runs with the daemon's rights, so nobody else may write it."""
    seen = path.stat()
    if seen.st_uid not in (0, os.geteuid()):
        raise PluginError(f"{path} belongs to user {seen.st_uid}, not to root or the user who runs cgsync",
                          hint=f"chown root {path}")  # fmt: skip
    if seen.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PluginError(f"{path} may be written by others", hint=f"chmod go-w {path}")
