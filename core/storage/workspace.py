"""The folder of a job, mounted or in an object store: arrays and Parquet files, written once and never changed.

    job.json                            what is matched, and how
    model.json                          the model that the request named, if it did
    source/                             validated copies of text input
    ingest/00003-<tag>/                 words.npy  ids.npy  id_ends.npy  counts.npy  strings.parquet
    reduce/00000-<tag>/                 words.npy  ids.npy  id_starts.npy  counts.npy  strings.parquet  hash.npy ...
                                        codes-00003.npy  placeholders.json
    block/00002-<tag>/                  rows.npy  depth.npy
    train/00000-<tag>/                  model.json
    plan/00000-<tag>/                   starts-02.npy  sizes-02.npy
    match/00017-<tag>/                  edges.parquet
    merge/00000-<tag>/                  edges.parquet
    cluster/00000-<tag>/                labels.npy  named.npy  patterns.npy  edges.parquet
    survive/00004-<tag>/                members.parquet  matches.parquet  entities.parquet

Each attempt of a batch writes into a folder of its own; only the folder named in the acknowledged output counts,
so a worker that died or was overtaken leaves rubbish, never damage. Only `encode` writes into another stage's files,
which `reduce` made for it: each range has its place there, and every attempt the same bytes.

In an object store a stage's files are uploaded before the batch is acknowledged, and copied to a local scratch when
they are first opened: kernels map them. A file that is filled by ranges lies there as one object for each range,
`words.npy@<offset>`, the first of them its header.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import orjson
import polars as pl
from numpy.typing import NDArray

from core.storage.object_store import ObjectStore, Piece, Stored, refuse_credentials, write_at
from core.storage.scratch import LocalCopy, Scratch

Array = NDArray[Any]

BASE = "base"
"""What stages need of earlier runs; unlike their own files it may change until `cluster` begins."""
HEADER_BYTES = 128
"""Of an array with fewer than five dimensions, as numpy pads it."""


class Folder(Protocol):
    """Where a batch's files can be opened by name: a path, or a folder of an object store."""

    def __truediv__(self, name: str) -> Path:
        """The local path of a file, which is there if there is such a file."""
        ...


class Workspace:
    """Names, reads and writes the files of one job.

    Args:
        uri: a folder (path or file://), or an object store such as s3://bucket/prefix.
        scratch: where copies of an object store's files may lie.
    """

    def __init__(self, uri: str, scratch: Scratch | None = None) -> None:
        self.uri = uri
        self._store: ObjectStore | None = None
        if "://" not in uri or uri.startswith(("file://", "local://")):
            self.root = Path(_mounted(uri))
        else:
            self._store = ObjectStore(uri)
            assert scratch is not None, "whoever opens an object store says where copies may lie"
            self._copy = LocalCopy(scratch, self._store.uri)
            self.root = self._copy.root

    def folder(self, stage: str, partition: int, tag: str) -> Path:
        """Make the folder of one attempt of a batch; readable by the owner only, for it holds personal data."""
        path = self.root / stage / f"{partition:05d}-{tag}"
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.mkdir(parents=True, exist_ok=True)
        return path

    def relative(self, path: Path) -> str:
        """Name a folder the way outputs store it, so that a workspace can be moved."""
        return path.relative_to(self.root).as_posix()

    def path(self, relative: str) -> Folder:
        """Find a folder by the name an output stores."""
        return self.root / relative if self._store is None else _StoredFolder(self, relative)

    def file(self, name: str) -> Path:
        """Find a file by the name a description stores; files outside of the workspace have absolute ones."""
        path = Path(name)
        return path if path.is_absolute() else self.path(name.rpartition("/")[0]) / path.name

    def keep(self, folder: Path) -> None:
        """Let other machines see what was written into a folder, or a file; to be done before it is acknowledged."""
        if self._store is not None and folder.exists():
            self._copy.require(0)
            files = [folder] if folder.is_file() else [path for path in sorted(folder.iterdir()) if path.is_file()]
            self._store.upload({self.relative(path): path for path in files})

    def take_in(self, path: Path, folder: str) -> str:
        """Let other machines see a file from elsewhere; returns the name that `file` finds it by."""
        if self._store is None:
            return str(path)
        name = f"{folder}/{path.name}"
        self._store.upload({name: path})
        return name

    def new_array(self, folder: Path, name: str, shape: tuple[int, ...], dtype: type) -> None:
        """Begin `<name>.npy`, whose rows `write_range` fills; a row that is never written is zero."""
        described = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
        path = folder / (f"{name}.npy" if self._store is None else _range_name(f"{name}.npy", 0))
        with path.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, described)
            assert file.tell() == HEADER_BYTES, "offsets of ranges are counted from there"
            file.flush()
            if self._store is None:
                os.ftruncate(file.fileno(), HEADER_BYTES + int(np.prod(shape)) * np.dtype(dtype).itemsize)

    def write_range(self, relative: str, name: str, first: int, rows: Array) -> None:
        """Write rows [first, first + len(rows)) of an array that `new_array` began; again changes nothing.

        Args:
            relative: the folder of the array.
        """
        content = np.ascontiguousarray(rows).reshape(-1).view(np.uint8)
        offset = HEADER_BYTES + first * (rows.nbytes // max(len(rows), 1))
        if self._store is not None:
            self._store.write(f"{relative}/{_range_name(f'{name}.npy', offset)}", content.tobytes())
            return
        with (self.root / relative / f"{name}.npy").open("r+b") as file:
            write_at(file.fileno(), content.data, offset)

    def write_json(self, name: str, value: Any) -> None:
        """Write a small JSON file at the root, all or nothing."""
        content = orjson.dumps(value, option=orjson.OPT_INDENT_2)
        if self._store is not None:
            self._store.write(name, content)
            return
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        target = self.root / name
        part = target.with_name(f"{name}.{os.getpid()}.part")
        part.write_bytes(content)
        part.replace(target)

    def read_json(self, name: str) -> Any | None:
        """Read a JSON file of the root; None when it is not there."""
        if self._store is not None:
            content = self._store.read(name)
            return None if content is None else orjson.loads(content)
        path = self.root / name
        return orjson.loads(path.read_bytes()) if path.exists() else None

    def remove_file(self, name: str) -> None:
        """Delete a file; it need not be there."""
        (self.root / name).unlink(missing_ok=True)
        if self._store is not None:
            self._store.delete(name)

    def remove_stage(self, stage: str) -> None:
        """Delete the files of all batches of a stage."""
        shutil.rmtree(self.root / stage, ignore_errors=True)
        if self._store is not None:
            self._store.remove(stage)

    def drop_copies(self, stage: str) -> None:
        """Make room: nothing reads the files of a stage any more. Those of a mounted folder are everybody's."""
        if self._store is not None:
            shutil.rmtree(self.root / stage, ignore_errors=True)

    def remove(self) -> None:
        """Delete everything of the job."""
        shutil.rmtree(self.root, ignore_errors=True)
        if self._store is not None:
            self._store.remove()

    def close(self) -> None:
        """Let go of local copies; the last process of the machine that does removes them."""
        if self._store is not None:
            self._copy.close()

    def fetch(self, relative: str, name: str) -> Path:
        """Have a file of the object store here, if there is one."""
        assert self._store is not None
        local, wanted = self.root / relative / name, f"{relative}/{name}".lstrip("/")
        if relative != BASE and local.exists():
            return local
        pieces = _pieces(self._store.list(relative), wanted)
        if not pieces:
            local.unlink(missing_ok=True)
            return local
        version = ";".join(piece.stored.version for piece in pieces)
        n_bytes = sum(piece.stored.n_bytes for piece in pieces)
        store = self._store
        self._copy.fetch(wanted, version, n_bytes, lambda part: store.download(pieces, part))
        return local


class _StoredFolder:
    """A folder of an object store: a file is here from when its name is asked for."""

    def __init__(self, workspace: Workspace, relative: str) -> None:
        self._workspace, self._relative = workspace, relative

    def __truediv__(self, name: str) -> Path:
        return self._workspace.fetch(self._relative, name)


def _mounted(uri: str) -> str:
    refuse_credentials(uri)
    if "://" not in uri:
        return uri
    # A tenth of a second that a plain folder need not wait for.
    from fsspec.core import url_to_fs

    return str(url_to_fs(uri)[1])


def _range_name(name: str, offset: int) -> str:
    return f"{name}@{offset}"


def _pieces(found: list[Stored], wanted: str) -> list[Piece]:
    """The objects that make up a file: itself, or its ranges."""
    pieces = []
    for stored in found:
        name, _, offset = stored.name.partition("@")
        if name == wanted:
            pieces.append(Piece(stored, int(offset or 0)))
    return pieces


def save(folder: Path, arrays: Mapping[str, Array]) -> None:
    """Write each array as `<name>.npy`."""
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)


def load(folder: Folder, name: str, *, mapped: bool = True) -> Array:
    """Open `<name>.npy`, memory-mapped unless told otherwise (empty arrays cannot be mapped).

    What is written to a mapped array stays in this process's memory: the file never changes. Read-only mapping would
    protect as well, but kernels are compiled anew for read-only arrays.
    """
    path = folder / f"{name}.npy"
    try:
        array: Array = np.load(path, mmap_mode="c" if mapped else None, allow_pickle=False)
    except ValueError:
        array = np.load(path, allow_pickle=False)
    return array.view(np.ndarray)


def save_frame(folder: Folder, name: str, frame: pl.DataFrame) -> None:
    """Write a frame as `<name>.parquet`."""
    frame.write_parquet(folder / f"{name}.parquet", compression="uncompressed", statistics=False)


def load_frame(folder: Folder, name: str) -> pl.DataFrame:
    """Read `<name>.parquet`."""
    return pl.read_parquet(folder / f"{name}.parquet")
