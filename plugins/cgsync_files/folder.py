"""The folder: what lies in it, and opening files in it without ever leaving it."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cgsync.api import SourceMisconfigured, SourceUnavailable
from cgsync_files.names import IGNORED, matcher
from cgsync_files.settings import Settings

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
BELOW = FOLDER | os.O_NOFOLLOW
OWN = frozenset({errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ENXIO, errno.ENODEV})
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What a file's inode says of its content: bytes, nanoseconds, number."""

    size: int
    mtime: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> Stamp:
        return cls(size=status.st_size, mtime=status.st_mtime_ns, inode=status.st_ino)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A regular file; ``path`` is relative to the folder, ``changed`` the later of mtime and ctime in nanoseconds."""

    path: str
    stamp: Stamp
    changed: int


@dataclass(slots=True, kw_only=True)
class Scan:
    """What one look at the folder showed. ``unlisted``: folders that could not be read, with the reason."""

    files: list[Found] = field(default_factory=list)
    markers: set[str] = field(default_factory=set)
    special: int = 0
    entries: int = 0
    unlisted: dict[str, str] = field(default_factory=dict)


class Folder:
    """The folder of one source."""

    def __init__(self, settings: Settings) -> None:
        self.path = settings.path
        self._depth = settings.depth
        self._by_time = settings.order == "mtime"
        self._reserved = frozenset(settings.reserved)
        self._included = matcher(settings.include)
        self._excluded = matcher((*settings.exclude, *IGNORED))
        marker = settings.readiness.done_file
        self._is_marker = matcher([marker.format(name="*", stem="*")] if marker else [])

    @contextlib.contextmanager
    def opened(self) -> Iterator[int]:
        """The folder as a descriptor. Raises :class:`SourceUnavailable` when it is not there."""
        try:
            handle = os.open(self.path, FOLDER)
        except FileNotFoundError:
            raise SourceUnavailable(
                f"{self.path} does not exist", hint="create it, or mount what belongs there"
            ) from None
        except NotADirectoryError:
            raise SourceMisconfigured(f"{self.path} is not a folder", hint="path: names the folder") from None
        except OSError as error:
            raise SourceUnavailable(f"{self.path} cannot be opened: {error.strerror}", hint=hint_for(error)) from None
        try:
            yield handle
        finally:
            os.close(handle)

    def scan(self) -> Scan:
        """Look at everything; files in the order in which they are to be read."""
        scan = Scan()
        with self.opened() as handle:
            try:
                self._walk(handle, "", 0, scan)
            except OSError as error:
                raise SourceUnavailable(f"{self.path} cannot be listed: {error.strerror}") from None
        scan.files.sort(key=_by_time if self._by_time else _by_name)
        return scan

    def _walk(self, handle: int, prefix: str, depth: int, scan: Scan) -> None:
        with os.scandir(handle) as entries:
            for entry in entries:
                scan.entries += 1
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    self._descend(handle, prefix, entry.name, depth, scan)
                elif self._is_marker(entry.name):
                    scan.markers.add(prefix + entry.name)
                elif self.wanted(prefix + entry.name):
                    _add(entry, prefix + entry.name, scan)

    def wanted(self, path: str) -> bool:
        return self._included(path) and not self._excluded(path)

    def _descend(self, handle: int, prefix: str, name: str, depth: int, scan: Scan) -> None:
        path = prefix + name
        if depth >= self._depth or path in self._reserved or self._excluded(path):
            return
        try:
            below = os.open(name, BELOW, dir_fd=handle)
        except FileNotFoundError:
            return
        except OSError as error:
            if not is_of_its_own(error):
                raise
            scan.unlisted[path] = error.strerror or str(error)
            return
        try:
            self._walk(below, path + "/", depth + 1, scan)
        except OSError as error:
            if not is_of_its_own(error):
                raise
            scan.unlisted[path] = error.strerror or str(error)
        finally:
            os.close(below)

    def open(self, path: str) -> int:
        """A descriptor of a regular file. Symbolic links are not followed anywhere below the folder.

        Raises ``OSError``; :class:`NotRegular` for what is not a file.
        """
        with self.opened() as root, below(root, path.split("/")[:-1]) as parent:
            handle = os.open(path.rsplit("/", 1)[-1], FILE, dir_fd=parent)
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise NotRegular(f"{path} is not a regular file")
        return handle


class NotRegular(OSError):
    """A pipe, a socket or a device: never read."""


@contextlib.contextmanager
def below(root: int, names: Sequence[str], *, create: bool = False) -> Iterator[int]:
    """The folder ``names`` below ``root``, one name after another and never through a symbolic link."""
    handle = os.dup(root)
    try:
        for name in names:
            if create:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(name, 0o750, dir_fd=handle)
            deeper = os.open(name, BELOW, dir_fd=handle)
            os.close(handle)
            handle = deeper
        yield handle
    finally:
        os.close(handle)


def is_of_its_own(error: OSError) -> bool:
    """Whether it is this one file's or folder's trouble. If not, the others have it too, or may have it next.

    Then nothing that comes later in the order may be read before: it would be overwritten by what is older.
    """
    return error.errno in OWN


def hint_for(error: OSError) -> str:
    return "give the user that runs cgsync the right to it" if isinstance(error, PermissionError) else ""


def _add(entry: os.DirEntry[str], path: str, scan: Scan) -> None:
    with contextlib.suppress(FileNotFoundError):  # gone since it was listed
        status = entry.stat(follow_symlinks=False)
        if stat.S_ISREG(status.st_mode):
            changed = max(status.st_mtime_ns, status.st_ctime_ns)
            scan.files.append(Found(path=path, stamp=Stamp.of(status), changed=changed))
        else:
            scan.special += 1


def _by_name(found: Found) -> tuple[int, str]:
    return (0, found.path)


def _by_time(found: Found) -> tuple[int, str]:
    return (found.stamp.mtime, found.path)
