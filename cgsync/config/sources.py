"""The sources' part of the configuration: schedules, zones, mappings, and entries that stand for several."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from hashlib import blake2b
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeGuard
from zoneinfo import ZoneInfo

from cgsync import cron
from cgsync.api import MEMBER_NAME, Member, SourceType
from cgsync.config.checking import Checked, CheckedSource
from cgsync.config.findings import Findings, meant
from cgsync.config.interpolation import PLACEHOLDER
from cgsync.config.nodes import Node, Path_, dotted, plain
from cgsync.config.settings import LEARNED, OFF, Limits, LookupConfig, Schedule, SourceConfig, Wanted
from cgsync.config.values import digest, value
from cgsync.errors import SourceMisconfigured, not_the_machine
from cgsync.plugins.vocabulary import duration

if TYPE_CHECKING:
    from cgsync.contract import Contract
    from cgsync.lookups import LookupTable
    from cgsync.mapping import MappingSpec

JUDGED = ("account", "contact", "type", "source")
"""Fields whose constants are sent as they stand."""
EVERY = timedelta(minutes=5)
SHORTEST = timedelta(seconds=1)
_SUFFIX = re.compile(MEMBER_NAME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What every source needs of the rest of the configuration."""

    findings: Findings
    lookups: Mapping[str, LookupConfig]
    tables: Mapping[str, LookupTable]
    timestamps: Literal["utc", "offset"]
    plugin_dir: Path | None
    contract: Contract | None
    limits: Node | None = None
    freshness: Wanted = LEARNED


def assemble(checked: Checked, shared: Shared) -> dict[str, SourceConfig]:
    """Every source by name; mistakes go into the findings, and what has one is left out."""
    made: dict[str, SourceConfig] = {}
    for name, source in checked.sources.items():
        for each in _Assembly(name, source, checked.table.types[source.plugin], shared).sources():
            made[each.name] = each
    return made


def check_apart(checked: Checked, shared: Shared) -> None:
    """Look also at the schedule and the mapping of what has no usable plugin."""
    for name, node in checked.root.at(("sources",)).items():
        if name not in checked.sources and isinstance(node.value, dict):
            _Assembly(name, CheckedSource(node=node, plugin="", sound=False), None, shared).judge()


class _Assembly:
    """Makes what one entry stands for."""

    def __init__(self, name: str, source: CheckedSource, kind: SourceType | None, shared: Shared) -> None:
        self._name = name
        self._source = source
        self._node = source.node
        self._kind = kind
        self._shared = shared
        self._findings = shared.findings
        self._path: Path_ = ("sources", name)

    def sources(self) -> Iterator[SourceConfig]:
        before = self._findings.errors
        zone, spec = self.judge()
        if not self._source.sound or spec is None or self._findings.errors > before:
            return
        for member in self._members():
            if self._fits(member):
                yield self._one(member, zone, spec)

    def judge(self) -> tuple[ZoneInfo, MappingSpec | None]:
        """All that no schema can say."""
        zone = self._zone()
        self._check_schedule(zone)
        spec = self._spec(zone)
        if spec is not None:
            self._check_mapping(spec)
        return zone, spec

    def _zone(self) -> ZoneInfo:
        node = self._node.get("timezone")
        if node is None or not isinstance(node.value, str):
            return ZoneInfo("UTC")
        try:
            return ZoneInfo(node.value)
        except (KeyError, ValueError, OSError) as error:  # unknown, not a name at all, or a folder of zones
            not_the_machine(error, f"the time zone {node.value}")
            from zoneinfo import available_timezones

            close = meant(node.value, sorted(available_timezones()))
            asked = f', did you mean "{close}"?' if close else ""
            self._findings.value(
                node, (*self._path, "timezone"), f"there is no such time zone{asked}", help="as Europe/Berlin"
            )
            return ZoneInfo("UTC")

    def _check_schedule(self, zone: ZoneInfo) -> None:
        every, expression = self._node.get("every"), self._node.get("cron")
        if every and expression:
            self._findings.key(expression, (*self._path, "cron"), "stands beside every", help="keep one of them")
        if every:
            check_length(every, (*self._path, "every"), self._findings)
        if freshness := self._node.get("freshness"):
            check_length(freshness, (*self._path, "freshness"), self._findings)
        if expression and isinstance(expression.value, str):
            try:
                cron.trigger(expression.value, zone)
            except ValueError as error:
                help_ = "minute hour day month weekday, as in crontab(5)"
                self._findings.value(expression, (*self._path, "cron"), f"is no schedule: {error}", help=help_)

    def _spec(self, zone: ZoneInfo) -> MappingSpec | None:
        from cgsync.mapping import MappingSpec  # the template engine, which `locate` can do without

        activity, when = self._node.get("activity"), self._node.get("when")
        raw = plain(activity) if activity else None
        listed = raw if isinstance(raw, list) else [raw]
        activities = [each for each in listed if isinstance(each, dict)]
        if not activities or len(activities) < len(listed):
            return None
        named = self._node.get("as")
        if named and not (isinstance(named.value, str) and named.value.isidentifier()):
            return None
        return MappingSpec(
            record_name=str(named.value) if named else "record",
            when=when.value if when and isinstance(when.value, str | bool) else None,
            activities=activities,
            timezone=zone,
            timestamps=self._shared.timestamps,
            lookups=self._shared.tables,
            listed=isinstance(raw, list),
        )

    def _check_mapping(self, spec: MappingSpec) -> None:
        from cgsync.mapping import flaws

        said = self._findings.paths()
        for flaw in flaws(spec):
            node, path = self._node.at(flaw.path), (*self._path, *flaw.path)
            if dotted(path) in said:
                continue  # the schema has found the same
            if flaw.message.startswith("unknown key"):
                self._findings.key(node, path, flaw.message, help=flaw.help)
            else:
                self._findings.value(node, path, flaw.message, help=flaw.help)
        for place, activity in enumerate(spec.activities):
            self._check_constants(("activity", place) if spec.plural else ("activity",), activity, said)

    def _check_constants(self, path: Path_, activity: Mapping[str, Any], said: Container[str]) -> None:
        """A constant that the contract refuses would refuse each and every record."""
        from cgsync.mapping import is_template

        constants = {
            key: value for key, value in activity.items() if isinstance(value, str) and value and not is_template(value)
        }
        if self._shared.contract is None:
            return
        for key, reason in self._shared.contract.problems(constants).items():
            full = (*self._path, *path, key)
            if key in constants and key in JUDGED and dotted(full) not in said:
                self._findings.value(self._node.at((*path, key)), full, reason, help="no record would pass")

    def _members(self) -> Sequence[Member]:
        """What the entry stands for: itself, unless the type makes several of it."""
        assert self._kind is not None
        options = value(self._source.options)
        if self._kind.expand is None:
            return [Member(options=options)]
        try:
            found = self._kind.expand(options)
        except SourceMisconfigured as error:
            self._misfit(error)
            return []
        except Exception as error:  # noqa: BLE001 - a stranger's code; the others go on
            self._refuse(f"expand() of the plugin failed: {type(error).__name__}: {error}")
            return []
        if not _are_members(found):
            self._refuse("expand() of the plugin must return members, each with a name of its own")
            return []
        return found

    def _fits(self, member: Member) -> bool:
        """Whether the type finds nothing wrong that no schema could say."""
        assert self._kind is not None
        if self._kind.judge is None or any(PLACEHOLDER in text for _, text in _texts(self._source.options)):
            return True
        from cgsync.mapping import option_template

        try:
            self._kind.judge(member.options, option_template)
        except SourceMisconfigured as error:
            self._misfit(error, member.at)
        except Exception as error:  # noqa: BLE001 - a stranger's code; the others go on
            self._refuse(f"judge() of the plugin failed: {type(error).__name__}: {error}")
        else:
            return True
        return False

    def _misfit(self, error: SourceMisconfigured, at: Path_ = ()) -> None:
        """At the option that the words begin with or repeat; as near as there is something written down.

        What the member ``at`` says for itself comes before what stands for all of them.
        """
        options, message = self._source.options, str(error.message)
        found = [(place, *named(message, options.at(place))) for place in (at, ())]
        steps, words = next((((*place, *below), rest) for place, below, rest in found if below), (at, message))
        written = [options.at(steps[:depth]) for depth in range(len(steps), -1, -1)]
        node = next((each for each in written if each.span), self._node)
        self._findings.value(node, (*self._path, self._source.plugin, *steps), words, help=error.hint)

    def _refuse(self, words: str) -> None:
        options = self._source.options
        self._findings.key(options, (*self._path, self._source.plugin), words, help="this is a mistake of the plugin")

    def _one(self, member: Member, zone: ZoneInfo, spec: MappingSpec) -> SourceConfig:
        assert self._kind is not None
        name = f"{self._name}/{member.name}" if member.name else self._name
        schedule = self._schedule(zone)
        shared = self._node.at(("shared",)).value is True
        limits = self._limits()
        freshness = wanted(own) if (own := self._node.get("freshness")) else self._shared.freshness
        return SourceConfig(
            name=name,
            plugin=self._source.plugin,
            type=self._kind,
            options=MappingProxyType(dict(member.options)),
            schedule=schedule,
            timezone=zone,
            mapping=spec,
            shared=shared,
            limits=limits,
            freshness=freshness,
            expanded_from=self._name if name != self._name else None,
            fingerprint=self._fingerprint(
                name, member.options, schedule, spec, [shared, asdict(limits), freshness, self._source.preset]
            ),
        )

    def _limits(self) -> Limits:
        """The source's own, and for what it does not say those for all."""
        given = (self._shared.limits, self._node.get("limits"))
        return Limits(**{key: value(each) for node in given if node for key, each in node.items()})

    def _schedule(self, zone: ZoneInfo) -> Schedule:
        every, expression, jitter = (self._node.get(key) for key in ("every", "cron", "jitter"))
        return Schedule(
            every=value(every) if every else None if expression else EVERY,
            cron=str(expression.value) if expression else None,
            timezone=zone,
            jitter=value(jitter) if jitter else timedelta(0),
        )

    def _fingerprint(
        self, name: str, options: Mapping[str, Any], schedule: Schedule, spec: MappingSpec, rest: Sequence[Any]
    ) -> str:
        tables = {key: [str(each.file), each.key, each.value] for key, each in self._shared.lookups.items()}
        return digest(
            [name, self._source.plugin, self._code(), options, *rest],
            [schedule.every, schedule.cron, schedule.timezone.key, schedule.jitter],
            [spec.record_name, spec.when, spec.activities, spec.timestamps, tables],
        )

    def _code(self) -> str:
        """What tells one version of a plugin file from the next."""
        folder = self._shared.plugin_dir
        file = folder / f"{self._source.plugin}.py" if folder else None
        return blake2b(file.read_bytes(), digest_size=16).hexdigest() if file and file.is_file() else ""


def check_length(node: Node, path: Path_, findings: Findings) -> None:
    """A duration that is none the schema has found already."""
    with suppress(ValueError):
        if duration(str(node.value)) < SHORTEST:
            findings.value(node, path, "must be at least 1s")


def wanted(node: Node) -> Wanted:
    """For how long nothing new may come, as the node says."""
    word = str(node.value)
    with suppress(ValueError):  # the schema has said so
        return OFF if word == OFF else duration(word)
    return LEARNED


def named(words: str, options: Node) -> tuple[Path_, str]:
    """The option by whose names and colons the words begin, or whose text they repeat, and the rest of the words."""
    name, colon, rest = words.partition(": ")
    below = dict(options.children())
    step = int(name) if name.isdecimal() else name
    if colon and step in below:
        steps, rest = named(rest, below[step])
        return (step, *steps), rest
    return next((path for path, text in _texts(options) if repr(text) in words), ()), words


def _are_members(found: object) -> TypeGuard[Sequence[Member]]:
    if not isinstance(found, list | tuple) or not all(isinstance(each, Member) for each in found):
        return False
    names = [each.name for each in found]
    sound = all(isinstance(name, str) and (not name or _SUFFIX.fullmatch(name)) for name in names)
    return sound and len(set(names)) == len(names) and all(isinstance(each.options, Mapping) for each in found)


def _texts(options: Node) -> Iterator[tuple[Path_, str]]:
    for step, below in options.children():
        if isinstance(below.value, str):
            yield (step,), below.value
        yield from (((step, *path), text) for path, text in _texts(below))
