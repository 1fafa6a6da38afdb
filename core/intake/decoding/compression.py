"""Compressed files, known by their content: unpacked as a stream, within limits, into a private file."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

from core.errors import InputError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

BLOCK_BYTES = 4 << 20
# A table of records packs to a hundredth at the very best; what unpacks to more is made to fill disks.
RATIO_MAX = 200
RATIO_HOLDS_FROM = 256 << 20
DISK_LEFT = 1 << 30

_MARKS: Final[Mapping[bytes, str]] = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"\xfd7zXZ": "xz",
    b"BZh": "bzip2",
}
_OPENERS: Final[Mapping[str, Callable[[Path], Any]]] = {
    "gzip": gzip.open,
    "zstd": zstd.open,
    "xz": lzma.open,
    "bzip2": bz2.open,
}
_DAMAGED = (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, zstd.ZstdError, ValueError)
# What tools put beside the one file that is meant.
_BESIDE = ("__MACOSX/", ".DS_Store", "Thumbs.db")
_WITHIN: Final[Mapping[bytes, str]] = {
    b"PAR1": "a Parquet file",
    b"ARROW1": "an Arrow file",
    b"PK\x03\x04": "a zip file",
}


def compression_of(path: Path) -> str | None:
    """How a file is compressed, by its first bytes; a workbook, which is a zip within, is not meant."""
    with path.open("rb") as file:
        head = file.read(8)
    found = next((name for mark, name in _MARKS.items() if head.startswith(mark)), None)
    return None if found == "zip" and workbook_of(path) else found


def workbook_of(path: Path) -> str | None:
    """`xlsx` or `ods` for a zip that is a workbook."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError):
        return None
    if "[Content_Types].xml" in names and any(name.startswith("xl/") for name in names):
        return "xlsx"
    return "ods" if {"mimetype", "content.xml"} <= names else None


def unpack(path: Path, compression: str, target: Path) -> None:
    """Write the one file that is in a compressed one.

    Raises:
        InputError: it is damaged, encrypted, has several members, unpacks to far too much, or to no text.
    Cost: as the compression: gzip 8 s a gigabyte of text, xz 25 s, bzip2 50 s; zstd less than gzip.
    """
    with _opened(path, compression) as packed, target.open("xb") as file:
        size = path.stat().st_size
        room = shutil.disk_usage(target.parent).free - DISK_LEFT
        n_bytes = 0
        while block := _read(path, compression, packed):
            if not n_bytes:
                _refuse_within(path, compression, block)
            n_bytes += len(block)
            if n_bytes > max(RATIO_MAX * size, RATIO_HOLDS_FROM):
                raise InputError(
                    f"{path} unpacks to more than {RATIO_MAX} times its size, which no list of records does; if it is "
                    f"meant, unpack it first and give the file",
                    path=str(path),
                    ratio=RATIO_MAX,
                )
            if n_bytes > room:
                raise InputError(
                    f"{path}: unpacked it has more than the {room >> 20:,} MiB that the disk of {target.parent} "
                    "can take; make room there",
                    path=str(path),
                )
            file.write(block)
    if not n_bytes:
        raise InputError(f"{path} is empty within", path=str(path), line=1)


@contextmanager
def _opened(path: Path, compression: str) -> Iterator[IO[bytes]]:
    if compression != "zip":
        with _OPENERS[compression](path) as packed:
            yield packed
        return
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError):
        raise _damaged(path, compression) from None
    with archive, archive.open(_only_member(path, archive)) as packed:
        yield packed


def _only_member(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    members = [
        member
        for member in archive.infolist()
        if not member.is_dir() and not member.filename.startswith(_BESIDE) and not member.filename.endswith(_BESIDE)
    ]
    if len(members) != 1:
        raise InputError(
            f"{path}: the zip file holds {len(members)} files, and one can be read; unpack it and give the right one",
            path=str(path),
            members=len(members),
        )
    (member,) = members
    if member.filename.startswith("/") or "\\" in member.filename or ".." in Path(member.filename).parts:
        raise InputError(
            f"{path}: the file in the zip file has a name that leads out of the folder it is unpacked to; "
            "ask whoever made it for another one",
            path=str(path),
        )
    if member.flag_bits & 1:
        raise InputError(
            f"{path}: the zip file is encrypted; unpack it with its password and give the file", path=str(path)
        )
    return member


def _read(path: Path, compression: str, packed: IO[bytes]) -> bytes:
    try:
        return packed.read(BLOCK_BYTES)
    except (*_DAMAGED, NotImplementedError):
        raise _damaged(path, compression) from None


def _damaged(path: Path, compression: str) -> InputError:
    return InputError(f"{path}: the {compression} file is cut short or damaged; make or copy it again", path=str(path))


def _refuse_within(path: Path, compression: str, block: bytes) -> None:
    within = next((name for mark, name in _WITHIN.items() if block.startswith(mark)), None)
    if within is None and any(block.startswith(mark) for mark in _MARKS):
        within = "another compressed file"
    if within is None and block[257:262] == b"ustar":
        within = "an archive of files (tar)"
    if within is not None:
        raise InputError(f"{path}: within the {compression} file is {within}; unpack it first", path=str(path))
