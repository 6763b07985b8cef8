"""Source plugins: find them, load those that are named, and say why one is broken."""

from __future__ import annotations

from cgsync.plugins.loading import BrokenPlugin, InstalledPlugin, PluginTable, installed, load, names

__all__ = ["BrokenPlugin", "InstalledPlugin", "PluginTable", "installed", "load", "names"]
