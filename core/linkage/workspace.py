"""The folder of a job: fixed-width arrays and Parquet files, written once and never changed.

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
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl
from numpy.typing import NDArray

from core.errors import ConfigError
from core.matching.edges import Edges

Array = NDArray[Any]


def _local_root(uri: str) -> Path:
    """Resolve an fsspec URI to a folder; kernels map record files, so the folder must be mounted."""
    if "://" not in uri:
        return Path(uri)
    # A tenth of a second that a plain folder need not wait for.
    from fsspec.core import url_to_fs

    filesystem, path = url_to_fs(uri)
    if "file" not in (filesystem.protocol if isinstance(filesystem.protocol, tuple) else (filesystem.protocol,)):
        raise ConfigError(
            f"workspace {uri} is not on a mounted file system; give a folder (file://... or a path) that all "
            "workers of the job share"
        )
    return Path(path)


class Workspace:
    """Names, reads and writes the files of one job."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self.root = _local_root(uri)

    def folder(self, stage: str, partition: int, tag: str) -> Path:
        """Make the folder of one attempt of a batch; readable by the owner only, for it holds personal data."""
        path = self.root / stage / f"{partition:05d}-{tag}"
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.mkdir(parents=True, exist_ok=True)
        return path

    def relative(self, path: Path) -> str:
        """Name a folder the way outputs store it, so that a workspace can be moved."""
        return path.relative_to(self.root).as_posix()

    def path(self, relative: str, name: str = "") -> Path:
        """Find a file by the relative folder an output named."""
        return self.root / relative / name

    def write_json(self, name: str, value: Any) -> None:
        """Write a small JSON file at the root, all or nothing."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        target = self.root / name
        part = target.with_name(f"{name}.{os.getpid()}.part")
        part.write_bytes(orjson.dumps(value, option=orjson.OPT_INDENT_2))
        part.replace(target)

    def read_json(self, name: str) -> Any | None:
        """Read a JSON file of the root; None when it is not there."""
        path = self.root / name
        return orjson.loads(path.read_bytes()) if path.exists() else None

    def remove_stage(self, stage: str) -> None:
        """Delete the files of all batches of a stage."""
        shutil.rmtree(self.root / stage, ignore_errors=True)

    def remove(self) -> None:
        """Delete everything of the job."""
        shutil.rmtree(self.root, ignore_errors=True)


def save(folder: Path, arrays: Mapping[str, Array]) -> None:
    """Write each array as `<name>.npy`."""
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)


def load(folder: Path, name: str, *, mapped: bool = True) -> Array:
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


def new_array(folder: Path, name: str, shape: tuple[int, ...], dtype: type) -> None:
    """Make `<name>.npy` of zeros without writing them: the file is sparse."""
    if 0 in shape:
        np.save(folder / f"{name}.npy", np.zeros(shape, dtype=dtype), allow_pickle=False)
    else:
        np.lib.format.open_memmap(folder / f"{name}.npy", mode="w+", dtype=dtype, shape=shape)


def open_array(folder: Path, name: str) -> Array:
    """Open `<name>.npy` for writing in place; it goes to disk when the system finds time."""
    path = folder / f"{name}.npy"
    try:
        array: Array = np.lib.format.open_memmap(path, mode="r+")
    except ValueError:
        array = np.load(path, allow_pickle=False)
    return array.view(np.ndarray)


def save_frame(folder: Path, name: str, frame: pl.DataFrame) -> None:
    """Write a frame as `<name>.parquet`."""
    frame.write_parquet(folder / f"{name}.parquet", compression="uncompressed", statistics=False)


def load_frame(folder: Path, name: str) -> pl.DataFrame:
    """Read `<name>.parquet`."""
    return pl.read_parquet(folder / f"{name}.parquet")


def load_edges(folder: Path) -> Edges:
    """Read the scored pairs a stage left in its folder."""
    return Edges.from_frame(load_frame(folder, "edges"))


def save_placeholders(folder: Path, values: Mapping[str, Array]) -> None:
    """Keep the packed values that a run took for placeholders, so that explanations blank the same ones."""
    named = {field: found.tolist() for field, found in values.items()}
    (folder / "placeholders.json").write_bytes(orjson.dumps(named))


def load_placeholders(folder: Path) -> dict[str, list[int]]:
    """Read what `save_placeholders` wrote."""
    found: dict[str, list[int]] = orjson.loads((folder / "placeholders.json").read_bytes())
    return found
