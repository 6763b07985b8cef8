"""The errors of cgsync: a class of error is a next action.

    CgsyncError                    exit 1    something failed; the message says what to do
    ├─ MachineLacks                exit 1    nothing to edit: it is tried again, once the machine has what it lacks
    ├─ ConfigError                 exit 78   edit the configuration
    │  └─ PluginError              exit 78   repair or remove a plugin
    ├─ SourceError                           a source could not be read
    │  ├─ SourceUnavailable                  nothing to do: it is tried again
    │  │  └─ NoRoom                          make room on the disk; until then nothing is read
    │  └─ SourceMisconfigured                a human must act; that source is held
    ├─ RecordError                           one record is rejected, the next goes on
    │  ├─ MappingError                       the mapping does not fit the record
    │  └─ ContractError                      the activity does not fit the API
    ├─ LedgerError                 exit 74   the store failed
    │  ├─ UnknownCommit            exit 75   a commit whose outcome is unknown: end, restart, read again
    │  ├─ LedgerDamaged            exit 74   its content is damaged: put a backup in its place
    │  └─ LedgerRefused            exit 78   the store belongs to another receiver or a newer program
    └─ ControlError                          a command could not be carried out
       ├─ NoDaemon                 exit 69   there is no daemon to talk to
       └─ NotPermitted             exit 77   the socket or the folder belongs to others

Foreign errors are translated once, at the border, with a hint that the operator can type.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from datetime import timedelta

MACHINE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO, errno.ENOSPC, errno.EROFS})
"""What the machine lacks, wherever it shows: no mistake of ours that a traceback would explain, nor of an operator."""


class CgsyncError(Exception):
    """What cgsync says when something failed. ``hint`` is what the operator can do about it, or empty."""

    exit_status = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class MachineLacks(CgsyncError):
    """A file could not be read for want of handles, memory or a sound disk; what it says is not known."""


def not_the_machine(error: BaseException, what: str) -> None:
    """Raise :class:`MachineLacks` when ``error`` is of that kind; else ``what`` may be blamed for it."""
    if isinstance(error, MemoryError):
        raise MachineLacks(f"{what} cannot be read: {os.strerror(errno.ENOMEM)}") from error
    if isinstance(error, OSError) and error.errno in MACHINE:
        raise MachineLacks(f"{what} cannot be read: {error.strerror}") from error
    if isinstance(error, ImportError):  # a shared library, of which the loader's words are all that is left
        for words in map(os.strerror, MACHINE):
            if str(error).endswith(words):
                raise MachineLacks(f"{what} cannot be read: {words}") from error


class ConfigError(CgsyncError):
    """The configuration cannot be used as it stands."""

    exit_status = 78


class PluginError(ConfigError):
    """A plugin cannot be used: it does not import, or does not return what the contract asks for."""


class SourceError(CgsyncError):
    """A source could not be read."""


class SourceUnavailable(SourceError):
    """The source cannot be read now; the core tries again after ``retry_after``, or after its own backoff."""

    def __init__(self, message: str, *, retry_after: timedelta | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class NoRoom(SourceUnavailable):
    """Our own disk is nearly full: what would be read could perhaps not be stored."""


class SourceMisconfigured(SourceError):
    """The source cannot be read until a human has acted: wrong password, missing folder, unknown column."""


class RecordError(CgsyncError):
    """One record cannot become an activity. ``reasons`` maps each failing field to its reason in words."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{field}: {reason}" for field, reason in reasons.items()))
        self.reasons = dict(reasons)


class MappingError(RecordError):
    """A template of the mapping does not fit the record."""


class ContractError(RecordError):
    """The mapped activity does not fit the contract of the receiving API."""


class LedgerError(CgsyncError):
    """The store failed: disk full, read-only, damaged, locked by another."""

    exit_status = 74


class UnknownCommit(LedgerError):
    """A commit raised, so nobody knows whether it was kept. Going on would overwrite it: end and read again."""

    exit_status = 75


class LedgerDamaged(LedgerError):
    """The content of the store is damaged: nothing in it can be relied on until a backup took its place."""


class LedgerRefused(LedgerError):
    """The store is sound but not ours to use: another receiver, or a newer schema than this program knows."""

    exit_status = 78


class ControlError(CgsyncError):
    """A command could not be carried out."""


class NoDaemon(ControlError):
    """There is no daemon to talk to."""

    exit_status = 69


class NotPermitted(ControlError):
    """The socket or the state folder belongs to somebody else."""

    exit_status = 77
