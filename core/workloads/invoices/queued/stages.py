"""The stages of a queued reconciliation: import, reduce, resolve, propose, train, connect, settle, refresh."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from core.errors import InputError
from core.intake.file_digest import file_digest
from core.jobs.ports import Output
from core.jobs.staged_job import StageTable, StageWork
from core.storage.workspace import load_frame, save, save_frame
from core.workloads.invoices.publishing.told import told_frame
from core.workloads.invoices.queued.job import ReceivablesJob
from core.workloads.invoices.queued.kept import keep, kept
from core.workloads.invoices.queued.parts import component_runs, group_runs, part_of
from core.workloads.invoices.reconciling.answer import decided_rows
from core.workloads.invoices.reconciling.reading import read_tables
from core.workloads.invoices.reconciling.run import figures_of
from core.workloads.invoices.rules.decide import decide
from core.workloads.invoices.rules.explanations import Found, Integers
from core.workloads.invoices.rules.propose import LINES_AT_ONCE, describe, search
from core.workloads.invoices.rules.settle import meeting, offer, settle_offered
from core.workloads.invoices.rules.sides.assemble import Reduced, Sides, reduce_tables, resolve
from core.workloads.invoices.rules.train import train
from core.workloads.invoices.rules.why import Decided, outlines


def _whole(job: ReceivablesJob) -> list[int]:
    """One batch: what it counts, it counts over all rows."""
    return [1]


def _import(job: ReceivablesJob, partition: int, folder: Path) -> Output:
    """Files become checked tables. Raises InputError: as `read_tables`; a file is another than the job was asked of."""
    files = {kind: [job.workspace.file(name) for name in names] for kind, names in job.description.files.items()}
    for kind, paths in files.items():
        for path, digest in zip(paths, job.description.sha256[kind], strict=True):
            if file_digest(path) != digest:
                raise InputError(f"{path} has changed since the job was asked for; ask again", path=str(path))
    read = read_tables(files, job.request.mapping)
    keep(folder, "tables", read.tables)
    return {"notices": list(read.notices), "mapping": read.mapping}


def _reduce(job: ReceivablesJob, partition: int, folder: Path) -> Output:
    """What was decided before is laid over the tables; then all that is counted over both sides."""
    standing = job.standing_before
    keep(folder, "standing", standing)
    reduced = reduce_tables(standing.laid_over(job.tables))
    keep(folder, "reduced", reduced)
    return {"invoices": len(reduced.invoices), "payments": len(reduced.payments)}


def _resolve(job: ReceivablesJob, partition: int, folder: Path) -> Output:
    """At which customers each receipt points; lines are cut into runs of whole account groups."""
    reduced = kept(job.folder("reduce"), "reduced", Reduced)
    sides = resolve(job.laid, reduced)
    keep(folder, "sides", sides)
    group_of_pool = np.array(reduced.pool_frame["group"].to_numpy(), dtype=np.int64)
    members, bounds = group_runs(sides.block, group_of_pool, job.request.batch_records)
    save(folder, {"members": members, "bounds": bounds})
    return {"lines": len(members)}


def _propose(job: ReceivablesJob, partition: int, folder: Path) -> Output:
    """Explanations of the lines of some account groups."""
    lines = _members(job, "resolve", partition)
    found = [search(job.sides.block, lines[lo : lo + LINES_AT_ONCE]) for lo in range(0, len(lines), LINES_AT_ONCE)]
    for number, part in enumerate(found):
        keep(folder, f"found-{number}", part)
    return {"parts": len(found), "explanations": sum(len(part.heads) for part in found)}


def _train(job: ReceivablesJob, partition: int, folder: Path) -> Output:
    """One model of all explanations."""
    outputs = zip(job.folders("propose"), job.outputs("propose"), strict=True)
    parts = [kept(place, f"found-{number}", Found) for place, told in outputs for number in range(told["parts"])]
    found = describe(job.sides.block, parts)
    keep(folder, "found", found)
    keep(folder, "model", train(job.sides.block, found))
    return {"explanations": len(found)}


def _connect(job: ReceivablesJob, partition: int, folder: Path) -> Output:
    """Receipts that want the same items belong together, as do a payment and what takes it back."""
    block, back = job.sides.block, job.sides.reversals
    offered = offer(block, job.found, job.model, _originals(job.sides))
    keep(folder, "offered", offered)
    pairs = np.array(back.select("reversal", "original").to_numpy(), dtype=np.int64).reshape(-1, 2)
    component = meeting(block, offered, pairs)
    members, bounds = component_runs(component, job.request.batch_records)
    save(folder, {"members": members, "bounds": bounds})
    return {"components": int(component.max(initial=-1)) + 1}


def _settle(job: ReceivablesJob, partition: int, folder: Path) -> Output:
    """Some components, decided."""
    receipts = np.sort(_members(job, "connect", partition))
    part, offered = part_of(job.sides, job.offered, receipts)
    settled = settle_offered(part.block, offered, _originals(part))
    policy = replace(job.request.plain().policy, has_rates=len(job.tables.rates) > 0)
    decisions = decide(part.block, settled, policy)
    rows, states = decided_rows(part, settled, decisions)
    run = Decided(job.sides.block, job.found, job.model, settled, decisions)
    told = told_frame(part.payments["id"], outlines(run, receipts, job.sides.invoices))
    for name, frame in (("rows", rows), ("states", states), ("told", told)):
        save_frame(folder, name, frame)
    return {"receipts": len(receipts), "allocations": len(rows)}


def _refresh(job: ReceivablesJob, partition: int, folder: Path) -> Output:
    """The sums of the run."""
    reduced = job.outputs("reduce")[0]
    states = [load_frame(place, "states") for place in job.folders("settle")]
    return {"figures": figures_of(reduced["invoices"], reduced["payments"], states)}


def _members(job: ReceivablesJob, cut_by: str, partition: int) -> Integers:
    members, bounds = job.runs(cut_by)
    mine: Integers = members[bounds[partition] : bounds[partition + 1]]
    return mine


def _originals(sides: Sides) -> Integers:
    return np.array(sides.reversals["original"].to_numpy(), dtype=np.int64)


TABLE: StageTable = {
    "import": StageWork(_whole, _import),
    "reduce": StageWork(_whole, _reduce),
    "resolve": StageWork(_whole, _resolve),
    "propose": StageWork(lambda job: job.sizes_of("resolve"), _propose),
    "train": StageWork(_whole, _train),
    "connect": StageWork(_whole, _connect, spends=("propose",)),
    "settle": StageWork(lambda job: job.sizes_of("connect"), _settle),
    "refresh": StageWork(_whole, _refresh),
}
