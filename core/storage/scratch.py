"""Local copies of files whose place is an object store: shared by a machine's processes, gone with the last of them.

    <state_dir>/scratch/<key>.use         locked by every process that works on the job
    <state_dir>/scratch/<key>/files/      as the job's folder would look, as far as it was needed here
    <state_dir>/scratch/<key>/coming/     files on their way, one lock each

A file takes its name when it is whole, so whoever sees it may map it. Locks end with their process: what a killed one
left is used by the next that works on the job, or removed by the next that works on another.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import weakref
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from core.errors import ScratchFull

GB = 10**9


@dataclass(frozen=True, slots=True)
class Scratch:
    """Where copies may lie and how large all of them may be; None: as large as the disk."""

    folder: Path
    limit_gb: float | None = None


class LocalCopy:
    """The copies of one job's files, held from the first use to `close`, or to the end of the process."""

    def __init__(self, scratch: Scratch, uri: str) -> None:
        self._scratch = scratch
        key = hashlib.sha256(uri.encode()).hexdigest()[:24]
        self._home = scratch.folder / key
        self.root, self._coming = self._home / "files", self._home / "coming"
        scratch.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sweep(scratch.folder, but=key)
        use = scratch.folder / f"{key}.use"
        held = _hold(use)
        for folder in (self.root, self._coming):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.close = weakref.finalize(self, _let_go, held, use, self._home)

    def fetch(self, name: str, version: str, n_bytes: int, fill: Callable[[Path], None]) -> None:
        """Let `fill` write a file under another name, which then takes its own; once, whoever else wants it now.

        Args:
            version: another one than the last time replaces the file.
        Raises:
            ScratchFull: the file does not fit.
        """
        target = self.root / name
        part = self._coming / hashlib.sha256(name.encode()).hexdigest()[:24]
        seen = part.with_suffix(".version")
        with FileLock(part.with_suffix(".lock")):
            if target.exists() and seen.exists() and seen.read_text() == version:
                return
            self.require(n_bytes)
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                fill(part)
                part.replace(target)
                seen.write_text(version)
            except OSError as error:
                part.unlink(missing_ok=True)
                raise disk_error(error, self._scratch.folder) from None

    def require(self, n_bytes: int) -> None:
        """Raise ScratchFull where so much more has no room; with 0 where there is too much already."""
        folder, limit_gb = self._scratch.folder, self._scratch.limit_gb
        free = shutil.disk_usage(folder).free
        if limit_gb is not None:
            free = min(free, int(limit_gb * GB) - _size(folder))
        if n_bytes > free:
            limit = "its disk" if limit_gb is None else f"{limit_gb:g} GB (HEADRACE_MATCHING__SCRATCH_GB) or its disk"
            raise ScratchFull(
                f"the scratch {folder} has no room for {n_bytes / 1e6:,.0f} MB more within {limit}; make room or give "
                "it more, then try again",
                path=str(folder),
                needed_bytes=n_bytes,
                limit_gb=limit_gb,
            )


def disk_error(error: OSError, folder: Path) -> Exception:
    """A full disk in words; any other error as it is."""
    import errno

    if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
        return error
    return ScratchFull(f"the disk of {folder} is full; make room, then try again", path=str(folder))


def _hold(use: Path) -> int:
    """Share the lock; the file may be removed by the last user while we wait for it."""
    while True:
        descriptor = os.open(use, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        if _is_named(descriptor, use):
            return descriptor
        os.close(descriptor)


def _is_named(descriptor: int, path: Path) -> bool:
    with suppress(FileNotFoundError):
        return os.fstat(descriptor).st_ino == path.stat().st_ino
    return False


def _let_go(descriptor: int, use: Path, home: Path) -> None:
    """End the use; the last user removes the copies."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    _remove_unused(descriptor, use, home)


def _remove_unused(descriptor: int, use: Path, home: Path) -> None:
    with suppress(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is_named(descriptor, use):
            shutil.rmtree(home, ignore_errors=True)
            use.unlink(missing_ok=True)
    os.close(descriptor)


def _sweep(folder: Path, *, but: str) -> None:
    """Remove what killed processes left of other jobs."""
    for use in folder.glob("*.use"):
        if use.stem != but:
            with suppress(FileNotFoundError):
                _remove_unused(os.open(use, os.O_RDWR), use, folder / use.stem)


def _size(folder: Path) -> int:
    """Bytes on disk below a folder; files that vanish meanwhile count nothing."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                total += (Path(parent) / name).stat().st_blocks * 512
    return total
