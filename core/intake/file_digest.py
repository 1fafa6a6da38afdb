"""What a file is known by, whatever its name and place."""

from __future__ import annotations

import hashlib
from pathlib import Path

from core.errors import InputError


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
