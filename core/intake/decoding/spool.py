"""What can be read once only, as a private file: a pipe, standard input, an address of fsspec.

A spooled file is named after its content, so the same bytes are the same input again and a finished match can be
explained from it. It stays until its owner deletes it.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from tempfile import mkstemp
from typing import IO, Any, Final
from urllib.parse import urlsplit

from core.errors import ConfigError, InputError, ServiceUnavailable
from core.storage.object_store import holds_credentials

STDIN: Final = "-"
BLOCK_BYTES = 4 << 20
_PATTERN: Final = frozenset("*?[")
_PACKAGES: Final[Mapping[str, str]] = {
    "s3": "headrace[s3]",
    "s3a": "headrace[s3]",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "abfs": "adlfs",
    "az": "adlfs",
    "http": "aiohttp",
    "https": "aiohttp",
    "sftp": "paramiko",
}


def is_pipe(named: str) -> bool:
    """Whether a name stands for standard input, or for a pipe."""
    return named in (STDIN, "/dev/stdin", "/dev/fd/0") or Path(named).is_fifo()


def is_address(named: str) -> bool:
    """Whether a name is an address of fsspec, such as s3://bucket/people.csv."""
    scheme, separator, _ = named.partition("://")
    return bool(separator) and scheme.replace("+", "").isalnum()


def spool_pipe(named: str, folder: Path) -> Path:
    """Read a pipe to its end, into a file of mode 0600 below `folder`.

    Raises:
        InputError: nothing came.
    Cost: a second a gigabyte.
    """
    if named == STDIN:
        return _spooled(sys.stdin.buffer, "stdin", folder, "standard input")
    with Path(named).open("rb") as pipe:
        return _spooled(pipe, "pipe", folder, named)


def fetch(address: str, folder: Path) -> Path:
    """Copy what an address holds into a file of mode 0600 below `folder`.

    Raises:
        ConfigError: a package or credentials are missing, the address holds some, or access is refused. InputError:
            there is no such file, it is empty or a folder, or it is no longer the same at the end. ServiceUnavailable:
            nothing answers there.
    """
    parts = urlsplit(address)
    if holds_credentials(address):
        raise ConfigError(
            f"the {parts.scheme}:// address of the input must not hold a user or password; give them in the "
            "environment or in the configuration of its tools"
        )
    shown = f"{parts.scheme}://{parts.netloc}{parts.path}"
    with _said_in_words(shown, parts.scheme):
        from fsspec.core import url_to_fs

        files, place = url_to_fs(address)
        before = _size(files, place, shown)
        with files.open(place, "rb") as remote:
            path = _spooled(remote, PurePosixPath(parts.path).name or parts.scheme, folder, shown)
        n_bytes = path.stat().st_size
        if before is not None and n_bytes != before:
            path.unlink()
            raise InputError(
                f"{shown}: {n_bytes:,} bytes came where {before:,} were announced; it changed or the transfer was cut, "
                "try again",
                path=shown,
            )
    return path


def _size(files: Any, place: str, shown: str) -> int | None:
    """Bytes of one file in a store, if it tells them. Raises InputError: there is none, or nothing in it."""
    try:
        found = files.info(place)
    except FileNotFoundError:
        bucket, _, name = place.partition("/")
        reason = "no such file"
        if name and not files.exists(bucket):
            reason = f"there is no {bucket!r} there: neither bucket nor folder"
        elif not _PATTERN.isdisjoint(name):
            reason = "no such file; a pattern is for files of this machine: copy these here, and name them"
        raise InputError(f"{shown}: {reason}", path=shown) from None
    if found.get("type") == "directory":
        raise InputError(f"{shown} is a folder; name one file, or copy the folder here and name it", path=shown)
    size: int | None = found.get("size")
    if size == 0:
        raise InputError(f"{shown} is empty", path=shown, line=1)
    return size


def _spooled(source: IO[bytes], name: str, folder: Path, shown: str) -> Path:
    """Write through a hidden file that takes its name when all has come."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, hidden = mkstemp(dir=folder, prefix=".coming-")
    digest = hashlib.sha256()
    try:
        with os.fdopen(handle, "wb") as file:
            for block in iter(lambda: source.read(BLOCK_BYTES), b""):
                digest.update(block)
                file.write(block)
            n_bytes = file.tell()
        if not n_bytes:
            raise InputError(f"{shown}: nothing came; the command before it ended without a row", path=shown, line=1)
        stem, dot, ending = name.partition(".")
        return Path(hidden).rename(folder / f"{stem}-{digest.hexdigest()[:16]}{dot}{ending}")
    finally:
        with suppress(FileNotFoundError):
            Path(hidden).unlink()


@contextmanager
def _said_in_words(shown: str, scheme: str) -> Iterator[None]:
    """Errors of storage libraries as ours: theirs may quote requests with credentials."""
    try:
        yield
    except (ConfigError, InputError):
        raise
    except ImportError:
        package = _PACKAGES.get(scheme, f"the fsspec package for {scheme}://")
        raise ConfigError(f"{shown}: a package is missing; run `pip install '{package}'`") from None
    except FileNotFoundError:
        raise InputError(f"{shown}: no such file", path=shown) from None
    except PermissionError:
        raise ConfigError(f"{shown}: access refused; the credentials of this machine must allow reading it") from None
    except Exception as error:  # noqa: BLE001 - each store's library has errors of its own
        kind = type(error).__name__
        if "Credential" in kind:
            named = "; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" if scheme in ("s3", "s3a") else ""
            raise ConfigError(f"{shown}: no credentials found{named}, or what the store's tools read") from None
        if "Connect" in kind or "Timeout" in kind:
            raise ServiceUnavailable(f"{shown} does not answer ({kind}); try again") from None
        raise InputError(
            f"{shown}: cannot be fetched ({kind}); correct the address, or try again", path=shown
        ) from None
