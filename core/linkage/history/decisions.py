"""Decisions by people: pairs that are one entity, or never are, whatever their weight."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from core.errors import InputError
from core.intake.source import Source
from core.linkage.history.base_run import DECISION_SCHEMA
from core.linkage.history.labelled_pairs import DECIDED, LabelledPairs, read_pairs
from core.linkage.history.values_seen import SEEN
from core.matching.clustering.cluster import Decided
from core.matching.clustering.entity_ids import texts_at
from core.storage.workspace import BASE, Array, Workspace, load_frame, save_frame

if TYPE_CHECKING:
    from core.linkage.job import LinkageJob


EVENT = "event"
"""Column of decisions that come from the ledger, where a record may be that the input does not have yet, or no more."""
TAKEN_BACK = "undo"
_WORDS = {**DECIDED, TAKEN_BACK: TAKEN_BACK}


def read_decisions(path: Path) -> LabelledPairs:
    """Read and check a file of decisions; `by`, `at`, `seen` and `event` may be missing. Raises as `read_pairs`.

    The decision `undo` takes back what an earlier run was told of the two.
    """
    return read_pairs(path, words=_WORDS, others=("by", "at", SEEN, EVENT))


def settled(
    before: pl.DataFrame | None, given: pl.DataFrame | None, ids: pl.Series
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What holds: decisions of the run that is added to, and those given now.

    Args:
        before: in the schema of decisions. given: as `read_decisions` has them; what they take back, and every pair
            that the ledger speaks of, no longer holds as it was. ids: of all records.
    Returns:
        The decisions, and the rows of `given` among them: those of the ledger wait where a record is not there.
    """
    kept = pl.DataFrame(schema=DECISION_SCHEMA) if before is None else before.cast(DECISION_SCHEMA)
    if given is None:
        return kept, pl.DataFrame()
    spoken = given.filter((pl.col("decision") == TAKEN_BACK) | pl.col(EVENT).is_not_null()).select("id_a", "id_b")
    both_ways = pl.concat([spoken, spoken.select(id_a="id_b", id_b="id_a")])
    kept = kept.join(both_ways, on=["id_a", "id_b"], how="anti", maintain_order="left")
    now = given.filter(pl.col("decision") != TAKEN_BACK)
    there = pl.all_horizontal(pl.col("id_a", "id_b").is_in(ids.implode()))
    now = now.filter(pl.col(EVENT).is_null() | there)
    return pl.concat([kept, now.select(DECISION_SCHEMA.names())]).unique(maintain_order=True), now


def notices_of(given: LabelledPairs, where: str, changed: Sequence[int], n_waiting: int) -> list[str]:
    """What is to be said of a file of decisions that was taken.

    Args:
        changed: its rows whose records had other values when they were decided.
        n_waiting: decisions of the ledger on records that are not in the input.
    """
    said = []
    if n_waiting:
        said.append(f"{n_waiting:,} verdicts of the ledger are about records that the input does not have; they wait")
    if given.n_open:
        said.append(f"{where}: {given.n_open:,} rows are open and were passed over")
    if changed:
        said.append(
            f"{where}: {len(changed):,} decisions, row {changed[0]} for one, were made on other values than the input "
            "has now; they hold, so look at them again"
        )
    return said


def refuse_contradictions(decisions: pl.DataFrame, where: str) -> None:
    """Refuse records that are told apart and joined as well, be it by a chain of others.

    Raises:
        InputError: names the two.
    """
    parent: dict[str, str] = {}

    def root(record: str) -> str:
        while parent.setdefault(record, record) != record:
            parent[record] = parent[parent[record]]
            record = parent[record]
        return record

    for a, b in decisions.filter(pl.col("decision") == "match").select("id_a", "id_b").iter_rows():
        parent[root(a)] = root(b)
    for a, b in decisions.filter(pl.col("decision") == "differ").select("id_a", "id_b").iter_rows():
        if root(a) == root(b):
            raise InputError(
                f"{where}: {a!r} and {b!r} are told apart, but other decisions make them one; take one of them back",
                id_a=a,
                id_b=b,
            )


def keep_decisions(decisions: pl.DataFrame, sources: list[Source], workspace: Workspace) -> None:
    """Copy decisions into the workspace.

    Raises:
        InputError: one names a record that is not in the input.
    """
    known = pl.concat([source.ids() for source in sources]).to_frame("id")
    for side in ("id_a", "id_b"):
        strange = decisions.join(known, left_on=side, right_on="id", how="anti")
        if strange.height:
            raise InputError(
                f"decisions name {strange.height:,} records that are not in the input, {strange[side][0]!r} for one; "
                "correct the id, or leave the decision out",
                id=strange[side][0],
            )
    folder = workspace.root / BASE
    folder.mkdir(parents=True, exist_ok=True)
    save_frame(folder, "decisions", decisions)


def decisions_of(job: LinkageJob) -> pl.DataFrame:
    """All decisions that hold in a job."""
    folder = job.workspace.path(BASE)
    known = (folder / "decisions.parquet").is_file()
    return load_frame(folder, "decisions") if known else pl.DataFrame(schema=DECISION_SCHEMA)


def decided_rows(job: LinkageJob) -> Decided:
    """Decisions as pairs of rows."""
    decisions = decisions_of(job)
    if decisions.height == 0:
        return Decided.nothing()
    rows = np.arange(job.rows, dtype=np.uint32)
    named = pl.DataFrame({"id": texts_at("id", rows, job.ids), "row": rows})
    asked = pl.concat([decisions["id_a"], decisions["id_b"]]).unique().to_frame("id")
    found = named.join(asked, on="id", how="semi")
    pairs = decisions.select(
        "decision", *(pl.col(side).replace_strict(found["id"], found["row"]) for side in ("id_a", "id_b"))
    )

    def of(decision: str) -> Array:
        return pairs.filter(pl.col("decision") == decision).select("id_a", "id_b").to_numpy().astype(np.uint32)

    return Decided(of("match"), of("differ"))
