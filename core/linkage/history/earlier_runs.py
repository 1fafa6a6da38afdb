"""The runs that led to an output: what they left where, and what of it goes when records leave."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.jobs.local import remove_idle
from core.linkage.description import DESCRIPTION, JobDescription
from core.linkage.run_record import beside, read_record
from core.storage.workspace import Workspace

if TYPE_CHECKING:
    from core.linkage.request import MatchRequest


@dataclass(frozen=True, slots=True)
class EarlierRuns:
    """Outputs and jobs of the runs that led to an output, the last one first, as far as they can still be read."""

    runs: tuple[tuple[Path, JobDescription], ...] = ()

    @property
    def keys(self) -> set[str]:
        """Of their jobs."""
        return {job.key for _, job in self.runs}

    @property
    def digests(self) -> set[str]:
        """Of the files that they read."""
        return {str(source["digest"]) for _, job in self.runs for source in job.sources}

    @property
    def inputs(self) -> list[Path]:
        """The files that they read, copies of what was left of them among these."""
        return list(dict.fromkeys(path for _, job in self.runs for path in inputs_of(job)))


def earlier_runs(out: Path | None) -> EarlierRuns:
    """What led to an output; nothing to none."""
    found, seen = list[tuple[Path, JobDescription]](), set[Path]()
    while out is not None and out not in seen:
        seen.add(out)
        try:
            job = read_record(out).job
        except (OSError, ValueError):
            break
        found.append((out, job))
        out = None if job.request.against is None else Path(job.request.against)
    return EarlierRuns(tuple(found))


def inputs_of(job: JobDescription) -> Iterator[Path]:
    """The files that a job reads: those that were named, or what was left of them."""
    for source in job.sources:
        if source.get("left_over"):
            yield from (Path(name) for name, _ in source["parts"])
        else:
            yield from map(Path, (source["path"], *source.get("more", ())))


def still_there(earlier: EarlierRuns, request: MatchRequest, ours: Path | None) -> list[str]:
    """Say which files of earlier runs hold values of records, and which of them ids; those that go with this run aside.

    Args:
        ours: folder of private copies, which are deleted.
    """
    replaced = {Path(path).absolute() for path in (request.out, request.entities) if path is not None}
    if request.out is not None:
        out = Path(request.out).absolute()
        copies = beside(out.with_suffix(".parquet"), "records-")
        replaced |= {path for path in earlier.inputs if str(path).startswith(str(copies.with_suffix("")))}
    values, outputs = earlier.inputs, list[Path]()
    for place, job in earlier.runs:
        values += [Path(path) for path in (job.request.entities, job.request.quarantine) if path is not None]
        (values if job.request.with_columns else outputs).append(place)

    def named(paths: list[Path]) -> str:
        there = (path for path in dict.fromkeys(paths) if path.exists() and path.absolute() not in replaced)
        kept = (path.name for path in there if ours is None or path.absolute().parent != ours.absolute())
        return ", ".join(dict.fromkeys(kept))

    found = []
    if held := named(values):
        found.append(f"these files hold the former values still, and are yours to delete: {held}")
    if held := named(outputs):
        found.append(f"outputs of earlier runs, and what stands beside them, hold ids and frequent values: {held}")
    return found


def forget_here(workspaces: Path, earlier: EarlierRuns, ours: Path | None, job: JobDescription) -> None:
    """Delete what this machine keeps of earlier runs: files of their stages, and private copies of their input.

    Files of the stages that other runs left, interrupted ones or kept ones, go too if they read the same input; a run
    that is at work now keeps its own.

    Args:
        workspaces: folder of the workspaces. ours: folder of private copies. job: keeps what it reads itself.
    """
    for folder in workspaces.iterdir() if workspaces.is_dir() else ():
        if folder.is_dir() and not folder.name.startswith((".", job.key)) and _holds(folder, earlier):
            remove_idle(workspaces, folder.name)
    if ours is not None:
        delete_private(earlier, ours, job)


def _holds(folder: Path, earlier: EarlierRuns) -> bool:
    """Whether a workspace is of an earlier run, or of another one of its input; or was left before it was described."""
    try:
        stored = Workspace(str(folder)).read_json(DESCRIPTION)
    except (OSError, ValueError):
        return False
    if stored is None or folder.name in earlier.keys:
        return True
    return any(source.get("digest") in earlier.digests for source in stored.get("sources", ()))


def delete_private(earlier: EarlierRuns, ours: Path, job: JobDescription) -> None:
    """Delete the private copies of input that earlier runs read: of pipes, addresses, tables."""
    mine = {path.absolute() for path in inputs_of(job)}
    for path in earlier.inputs:
        if path.absolute().parent == ours.absolute() and path.absolute() not in mine:
            path.unlink(missing_ok=True)
