"""The configuration: YAML with positions, checked against the composed schema, as frozen dataclasses."""

from __future__ import annotations

from cgsync.config.diagnostics import ConfigInvalid, Diagnostic, render
from cgsync.config.loading import ShownValue, json_schema, load, locate, show
from cgsync.config.places import Places
from cgsync.config.settings import Config, LogConfig, LookupConfig, ReceiverConfig, Schedule, SourceConfig

__all__ = [
    "Config",
    "ConfigInvalid",
    "Diagnostic",
    "LogConfig",
    "LookupConfig",
    "Places",
    "ReceiverConfig",
    "Schedule",
    "ShownValue",
    "SourceConfig",
    "json_schema",
    "load",
    "locate",
    "render",
    "show",
]
