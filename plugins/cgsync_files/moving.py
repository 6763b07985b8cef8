"""Putting away a file whose records are stored: never over another one, never one that was written since."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cgsync.api import SourceUnavailable
from cgsync_files.folder import FILE, FOLDER, Folder, Stamp, below, hint_for
from cgsync_files.names import path_of
from cgsync_files.states import FileState, identify
from cgsync_files.targets import numbered

NO_LINK = frozenset({errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EACCES})
"""A link cannot be made: another file system, one without links, or a file that belongs to others. Then copy."""
CHUNK = 1024 * 1024


def put_away(folder: Folder, item: Mapping[str, Any]) -> None:
    """Move or delete what ``item`` names; nothing when that was done before. Raises :class:`SourceUnavailable`."""
    path = path_of(item["file"])
    try:
        with folder.opened() as root, below(root, path.split("/")[:-1]) as parent:
            _put_away(root, parent, path.rsplit("/", 1)[-1], item)
    except FileNotFoundError:
        return  # the folder it lay in is gone, and it with it
    except OSError as error:
        verb = f"moved to {path_of(item['to'])}" if "to" in item else "deleted"
        raise SourceUnavailable(f"{path} cannot be {verb}: {error.strerror}", hint=hint_for(error)) from None


def _put_away(root: int, parent: int, name: str, item: Mapping[str, Any]) -> None:
    found = _status(parent, name)
    if found and not is_still(parent, name, found, item):
        return  # another file has come under that name: it is read in its turn
    if found:
        _leave(root, parent, name, found, path_of(item["to"]) if "to" in item else None)
    if marker := item.get("marker"):
        _put_away_marker(root, parent, path_of(marker), item)


def _put_away_marker(root: int, parent: int, marker: str, item: Mapping[str, Any]) -> None:
    name = marker.rsplit("/", 1)[-1]
    if found := _status(parent, name):
        to = path_of(item["to"]).rpartition("/")[0] if "to" in item else None
        _leave(root, parent, name, found, None if to is None else f"{to}/{name}")


def _leave(root: int, parent: int, name: str, found: os.stat_result, to: str | None) -> None:
    if to is not None:
        wanted = to.rsplit("/", 1)[-1]
        with _target_folder(root, to) as folder:
            if wanted == name and os.path.samestat(os.fstat(folder), os.fstat(parent)):
                return  # it lies where it is to go; the name that is taken there is its only one
            _keep(parent, name, found, folder, wanted)
            os.fsync(folder)
    os.unlink(name, dir_fd=parent)
    os.fsync(parent)


def _status(parent: int, name: str) -> os.stat_result | None:
    with suppress(FileNotFoundError):
        status = os.stat(name, dir_fd=parent, follow_symlinks=False)
        return status if stat.S_ISREG(status.st_mode) else None
    return None


def is_still(parent: int, name: str, found: os.stat_result, item: Mapping[str, Any]) -> bool:
    """Whether the file is the one that was read: by its stamp, or else (a share mounted anew) by its content."""
    state, stamp = FileState.from_json(item), Stamp.of(found)
    if state is None or state.stamp.size != stamp.size:
        return False
    if state.stamp == stamp:
        return True
    with os.fdopen(os.open(name, FILE, dir_fd=parent), "rb") as stream:
        return state.same_content(stamp, identify(stream, stamp.size))


@contextmanager
def _target_folder(root: int, to: str) -> Iterator[int]:
    """The folder of the target, made if need be. Below the drop folder no symbolic link leads out of it."""
    names = [name for name in to.split("/")[:-1] if name not in ("", ".")]
    if ".." in names:
        raise OSError(errno.EINVAL, "a target must not go up")
    if not to.startswith("/"):
        with below(root, names, create=True) as handle:
            yield handle
        return
    # an absolute target was named by the operator, whose links are meant
    place = "/" + "/".join(names)
    Path(place).mkdir(mode=0o750, parents=True, exist_ok=True)
    handle = os.open(place, FOLDER)
    try:
        yield handle
    finally:
        os.close(handle)


def _keep(parent: int, name: str, found: os.stat_result, folder: int, wanted: str) -> None:
    """Give the file a further name in ``folder``: by a link, or by a copy where that cannot be."""
    try:
        _link(parent, name, found, folder, wanted)
    except OSError as error:
        if error.errno not in NO_LINK:
            raise
        _copy(parent, name, found, folder, wanted)


def _link(parent: int, name: str, found: os.stat_result, folder: int, wanted: str) -> None:
    count = 0
    while True:
        free = numbered(wanted, count)
        try:
            os.link(name, free, src_dir_fd=parent, dst_dir_fd=folder, follow_symlinks=False)
        except FileExistsError:
            taken = _status(folder, free)
            if taken and os.path.samestat(taken, found):
                return  # linked before a crash
            count += 1
            continue
        if (linked := _status(folder, free)) and os.path.samestat(linked, found):
            return
        os.unlink(free, dir_fd=folder)
        raise OSError(errno.ESTALE, "it was replaced at this moment")


def _copy(parent: int, name: str, found: os.stat_result, folder: int, wanted: str) -> None:
    """Copy under a name that nothing reads, make it durable, then give it its own name."""
    half = f".{wanted}.cgsync-copy"
    with os.fdopen(os.open(name, FILE, dir_fd=parent), "rb") as source:
        if not os.path.samestat(os.fstat(source.fileno()), found):
            raise OSError(errno.ESTALE, "it was replaced at this moment")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(half, flags, 0o640, dir_fd=folder), "wb") as copy:
            while chunk := source.read(CHUNK):
                copy.write(chunk)
            copy.flush()
            os.utime(copy.fileno(), ns=(found.st_atime_ns, found.st_mtime_ns))
            os.fsync(copy.fileno())
    _name_copy(folder, half, wanted)


def _name_copy(folder: int, half: str, wanted: str) -> None:
    count = 0
    while True:
        free = numbered(wanted, count)
        try:
            os.link(half, free, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
        except FileExistsError:
            if _equal(folder, half, free):
                break  # copied before a crash
            count += 1
            continue
        except OSError as error:
            if error.errno not in NO_LINK:
                raise
            if _status(folder, free):
                count += 1
                continue
            os.rename(half, free, src_dir_fd=folder, dst_dir_fd=folder)  # a file system without links
            return
        break
    os.unlink(half, dir_fd=folder)


def _equal(folder: int, one: str, other: str) -> bool:
    with (
        os.fdopen(os.open(one, FILE, dir_fd=folder), "rb") as first,
        os.fdopen(os.open(other, FILE, dir_fd=folder), "rb") as second,
    ):
        if os.fstat(first.fileno()).st_size != os.fstat(second.fileno()).st_size:
            return False
        while chunk := first.read(CHUNK):
            if chunk != second.read(CHUNK):
                return False
    return True
