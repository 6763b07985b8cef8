"""Where state, sockets and credentials are when the configuration does not say so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SYSTEM = Path("/etc/cgsync")


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The folders of one installation."""

    state_dir: Path
    runtime_dir: Path
    plugin_dir: Path | None = None


def default_state(config: Path, environ: Mapping[str, str]) -> Path:
    """What systemd made, what the shipped units would make for this configuration, else the user's own folder."""
    return _first(environ.get("STATE_DIRECTORY")) or _of_unit(config, Path("/var/lib")) or _of_user(environ)


def default_runtime(config: Path, environ: Mapping[str, str]) -> Path | None:
    """Likewise; ``None`` where the state folder has to do."""
    return _first(environ.get("RUNTIME_DIRECTORY")) or _of_unit(config, Path("/run"))


def credential_folder(config: Path) -> Path:
    """Where credentials lie that systemd did not hand over: beside a system configuration, so per tenant."""
    return (config.parent if config.is_relative_to(SYSTEM) else SYSTEM) / "credentials"


def resolved(value: str, folder: Path, environ: Mapping[str, str]) -> Path:
    """A path of the configuration: relative to the file it stands in, ``~/`` is the user's home."""
    if value.startswith("~/") and (home := environ.get("HOME")):
        return Path(home) / value[2:]
    return folder.absolute() / value


def _first(value: str | None) -> Path | None:
    """systemd joins several folders by colons."""
    return Path(value.split(":")[0]) if value else None


def _of_unit(config: Path, under: Path) -> Path | None:
    """``/etc/cgsync/config.yaml`` belongs to cgsync.service, ``/etc/cgsync/acme/config.yaml`` to cgsync@acme."""
    if not config.is_relative_to(SYSTEM):
        return None
    tenant = config.relative_to(SYSTEM).parts[:-1]
    return under / "-".join(["cgsync", *tenant[:1]])


def _of_user(environ: Mapping[str, str]) -> Path:
    if base := environ.get("XDG_STATE_HOME"):
        return Path(base) / "cgsync"
    return Path(environ.get("HOME") or "/") / ".local" / "state" / "cgsync"
