"""What is left of a run's input without the records that leave it, in copies: nothing reads the input any more."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from core.intake.columns import KEPT
from core.intake.source import Source
from core.linkage.run_record import beside, read_record
from core.storage.private_file import write_private

if TYPE_CHECKING:
    from core.linkage.history.leaving import Leaving
    from core.linkage.job import LinkageJob

_COPY_ROWS = 500_000


def what_is_left(sources: Sequence[Source], leaving: Leaving, folder: Path) -> list[Source]:
    """Copies of the sources of a run without the records that leave it; a source of which nothing is left goes.

    Args:
        folder: receives the copies; what earlier openings staged in it is deleted.
    Cost: the input is read and written once, half a million rows at a time.
    """
    found, gone = [], leaving.ids.to_frame("id")
    for number, source in enumerate(sources):
        left = _copied(source, gone, folder / f"left-{number}")
        if left.rows:
            found.append(left)
    for staged in folder.glob("base-*"):
        shutil.rmtree(staged, ignore_errors=True)
    return found


def _copied(source: Source, gone: pl.DataFrame, folder: Path) -> Source:
    """A copy of a source without some records, its texts as they are written."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    written = replace(source, readings=None)
    kept = source.scan_kept() if source.kept else None
    parts = list[tuple[str, int]]()
    for lo in range(0, source.rows, _COPY_ROWS):
        frame = written.read(lo, min(lo + _COPY_ROWS, source.rows))
        if kept is not None:
            some = kept.slice(lo, frame.height).collect()
            frame = frame.hstack(some.rename({name: KEPT + name for name in some.columns}))
        frame = frame.join(gone, on="id", how="anti", maintain_order="left")
        if frame.height:
            path = folder / f"part-{len(parts):05d}.parquet"
            frame.write_parquet(path, compression="lz4", statistics=False)
            parts.append((str(path.absolute()), frame.height))
    rows = sum(n_rows for _, n_rows in parts)
    return replace(source, parts=tuple(parts), rows=rows, staged=True, left_over=True, left_out=(), place=Path)


def write_copies(job: LinkageJob, out: Path) -> list[dict[str, Any]]:
    """Write what is left of earlier inputs beside `out`: the next run reads it there.

    Returns:
        The job's sources as the record of its run is to name them. Copies of another run under these names go.
    """
    stale = _copies_named(out)
    sources, written = [dict(source) for source in job.description.sources], set[Path]()
    for source in sources:
        if not source.get("left_over"):
            continue
        parts = []
        for name, rows in source["parts"]:
            place = beside(out.absolute().with_suffix(".parquet"), f"records-{len(written)}")
            write_private(place, partial(shutil.copyfile, job.workspace.file(name)))
            written.add(place)
            parts.append([str(place), rows])
        source["parts"] = parts
    for path in stale - written:
        path.unlink(missing_ok=True)
    return sources


def _copies_named(out: Path) -> set[Path]:
    """The copies beside an output that the record of its run names: others may be called alike."""
    try:
        sources = read_record(out).job.sources
    except (OSError, ValueError):
        return set()
    parts = {Path(name) for source in sources if source.get("left_over") for name, _ in source["parts"]}
    return {path for path in parts if path.parent == out.parent.absolute()}
