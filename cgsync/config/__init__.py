"""The configuration: YAML with positions, checked against the composed schema, as frozen dataclasses."""

from __future__ import annotations

from cgsync.config.diagnostics import ConfigInvalid, Diagnostic, render
from cgsync.config.loading import load, locate, show
from cgsync.config.places import Places
from cgsync.config.schema import json_schema
from cgsync.config.settings import (
    BackupConfig,
    Config,
    LogConfig,
    LookupConfig,
    ReceiverConfig,
    RetentionConfig,
    Schedule,
    SourceConfig,
    WebConfig,
)
from cgsync.config.showing import ShownValue

__all__ = [
    "BackupConfig",
    "Config",
    "ConfigInvalid",
    "Diagnostic",
    "LogConfig",
    "LookupConfig",
    "Places",
    "ReceiverConfig",
    "RetentionConfig",
    "Schedule",
    "ShownValue",
    "SourceConfig",
    "WebConfig",
    "json_schema",
    "load",
    "locate",
    "render",
    "show",
]
