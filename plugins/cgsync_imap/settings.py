"""The options of an IMAP source, checked and in one shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from cgsync.api import Secret, SourceMisconfigured
from cgsync.http import Tls, is_loopback
from cgsync_imap.criteria import criteria
from cgsync_imap.names import is_pattern, plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """How it is reached. ``encryption``: ``implicit``, ``starttls`` or ``none``; ``name``: that of its certificate."""

    host: str
    name: str
    port: int
    encryption: str
    tls: Tls
    connect: timedelta
    read: timedelta

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Server:
        encryption = options["encryption"]
        files = {name: Path(options["tls"][name]) for name in ("ca", "cert", "key") if name in options["tls"]}
        return cls(
            host=options["host"],
            name=options["tls"].get("server_name", options["host"]),
            port=options.get("port", 993 if encryption == "implicit" else 143),
            encryption=encryption,
            tls=Tls(**files, verify=options["tls"]["verify"]),
            connect=options["timeout"]["connect"],
            read=options["timeout"]["read"],
        )

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def check_secure(self, *, allowed: bool) -> Sequence[str]:
        """Raise :class:`SourceMisconfigured` for what anyone on the way could read; say what it is if that is meant."""
        found = self._insecure()
        if found and not allowed:
            raise SourceMisconfigured(found[0], hint="if that is meant, say allow_insecure: true")
        return found

    def _insecure(self) -> Sequence[str]:
        open_ = self.encryption == "none" and not is_loopback(self.host)
        words = [f"encryption: {self} is not encrypted"] if open_ else []
        return [*words, "tls: verify: false trusts whoever answers"] if not self.tls.verify else words


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """How many the sources of this daemon may have: to one account, to one host, and of all together."""

    account: int
    host: int
    all: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving:
    """Where attachments are saved, and the bytes of one beyond which it is not."""

    folder: Path
    largest: int

    @classmethod
    def of(cls, option: Mapping[str, Any]) -> Saving | None:
        return cls(folder=Path(option["save"]), largest=option["largest"]) if "save" in option else None


@dataclass(frozen=True, slots=True, kw_only=True)
class After:
    """What happens to a message whose record is stored: one of these."""

    flags: Sequence[str] = ()
    move: str = ""
    delete: bool = False

    @classmethod
    def of(cls, option: Any) -> After | None:
        if isinstance(option, str):
            return cls(delete=True) if option == "delete" else None
        return cls(flags=tuple(option.get("flag", ())), move=option.get("move", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """``start``: ``None`` for all, else the time from which on messages count, ``now`` apart.

    ``search`` holds the criteria of IMAP that are added to each search.
    """

    server: Server
    connections: Connections
    username: str
    password: Secret | None
    mechanism: str
    folders: Sequence[str]
    exclude: Sequence[str]
    special: bool
    relist: timedelta
    start: date | str
    search: Sequence[Any]
    skip: Mapping[str, Any]
    after: After | None
    idle: bool
    idle_refresh: timedelta
    uidvalidity: str
    largest: int
    too_large: str
    saving: Saving | None
    reserved: Sequence[str] = field(default_factory=tuple)
    """Folders that are ours: what was moved there is not read again."""

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Settings:
        """Raises :class:`SourceMisconfigured` for what no schema can say; its words begin with names of options."""
        check_lines(options)
        after = After.of(options["after"])
        check_folders(options["folders"], options.get("exclude", ()), after.move if after else "")
        return cls(
            server=Server.of(options),
            connections=Connections(**options["connections"]),
            username=options["username"],
            password=options.get("password"),
            mechanism=options["mechanism"],
            folders=tuple(options["folders"]),
            exclude=tuple(options.get("exclude", ())),
            special=options["special"],
            relist=options["relist"],
            start=start(options["start"]),
            search=criteria(options["search"]),
            skip=options["skip"],
            after=after,
            idle=options["idle"],
            idle_refresh=options["idle_refresh"],
            uidvalidity=options["uidvalidity"],
            largest=options["limits"]["message"],
            too_large=options["limits"]["too_large"],
            saving=Saving.of(options["attachments"]),
            reserved=(after.move,) if after and after.move else (),
        )


def start(option: str) -> date | str:
    """``now``, ``all`` or a day."""
    if option in ("now", "all"):
        return option
    try:
        return date.fromisoformat(option)
    except ValueError:
        raise SourceMisconfigured(f"start: there is no day {option}", hint="for instance 2026-01-31") from None


def check_folders(folders: Sequence[str], exclude: Sequence[str], target: str) -> None:
    """What is written out to be read can be neither left alone nor the place where messages are put away."""
    written = {plain(name) for name in folders if not is_pattern(name)}
    if both := [name for name in exclude if plain(name) in written]:
        raise SourceMisconfigured(f"exclude: {both[0]} is one of `folders:`, too", hint="name it in one of the two")
    if plain(target) in written:
        raise SourceMisconfigured(
            f"after: move: {target} is one of `folders:`, and would not be read", hint="move messages to another folder"
        )


def check_lines(value: Any, place: str = "") -> None:
    """What is sent to the server is one line: a line break would begin another command."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            check_lines(name, place)
            if name not in ("oauth2", "tls"):
                check_lines(each, f"{place}{name}: ")
    elif isinstance(value, list | tuple):
        for number, each in enumerate(value):
            check_lines(each, f"{place}{number}: ")
    elif isinstance(value, str | Secret):
        text = value.reveal() if isinstance(value, Secret) else value
        if any(sign in text for sign in "\r\n\0"):
            raise SourceMisconfigured(f"{place}it contains a line break", hint="remove it; a file may end with one")


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
