"""What a file is known by, whatever its name and place."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError


@dataclass(frozen=True, slots=True)
class FileState:
    """What changes when a file is written: its size in bytes, when it was written, and which file of the disk it is."""

    n_bytes: int
    written_ns: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> FileState:
        """The state now. Raises InputError: there is no such file."""
        try:
            found = path.stat()
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror})", path=str(path)) from None
        return cls(found.st_size, found.st_mtime_ns, found.st_ino)

    def check(self, path: Path) -> None:
        """Raise InputError: the file was written or replaced since."""
        if self.of(path) != self:
            raise changed(path)


def changed(path: Path) -> InputError:
    """A file that was another one at the end of reading than at its beginning."""
    return InputError(
        f"{path} was changed while it was read; wait until it is written, and start again", path=str(path)
    )


def file_digest(*paths: Path) -> str:
    """SHA-256 of the bytes of files, one behind the other, in hex.

    Raises:
        InputError: one cannot be read.
    Cost: about a second a gigabyte; the files are streamed.
    """
    digest = hashlib.sha256()
    for path in paths:
        try:
            with path.open("rb") as file:
                hashlib.file_digest(file, lambda: digest)
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror}", path=str(path)) from None
    return digest.hexdigest()
