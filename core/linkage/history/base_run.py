"""The finished run that an increment adds to: its records, edges, entities, and what it decided by all its records.

What later stages need is copied into the workspace, so that any process can work on the job:

    base/member_keys.npy, member_entities.npy   of every record: a hash of its source and id; the key of its entity
    base/pairs.parquet                          the pairs it kept
    base/log.parquet                            changes of entities in all runs before (see `lasting`)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from core.errors import ConfigError, InputError
from core.intake.columns import EVERY, FieldHint
from core.intake.file_digest import file_digest
from core.intake.opening import Opening
from core.intake.source import Source, open_source
from core.intake.tables.part_files import input_digest, part_files
from core.linkage.description import Frozen, JobDescription
from core.linkage.run_record import beside, read_record, read_table, run_path, unused_passes
from core.matching.clustering.entity_ids import entity_keys, texts_at, uuid_keys
from core.matching.compare.patterns import pattern_numbers
from core.matching.edges import Edges
from core.matching.scoring.model import Model
from core.matching.text.hashing import flat_bytes
from core.storage.workspace import BASE, Array, Workspace, load_frame, save, save_frame

if TYPE_CHECKING:
    from core.linkage.job import LinkageJob

LOG_SCHEMA = pl.Schema(
    {"version": pl.Int64, "kind": pl.String, "entity_id": pl.String, "from_id": pl.String, "records": pl.Int64}
)
DECISION_SCHEMA = pl.Schema(dict.fromkeys(("id_a", "id_b", "decision", "by", "at"), pl.String))
MEMBERS = ("member_keys", "member_entities")
_PAIRS = {
    "id_a": pl.String,
    "id_b": pl.String,
    "score": pl.Float32,
    "tf_bits": pl.Float32,
    "pattern": pl.String,
    "passes": pl.UInt32,
}


@dataclass(frozen=True)
class Base:
    """A finished run, by its output."""

    out: Path
    description: JobDescription
    model: Model
    frozen: Frozen

    def digest(self) -> str:
        """Tells whether the run is still the same. Cost: reads its record, its output and its pairs."""
        return file_digest(run_path(self.out), self.out, beside(self.out, "pairs"))

    def table(self, kind: str) -> pl.DataFrame | None:
        """One of the files beside the output; None where there is none."""
        path = beside(self.out, kind)
        return read_table(path) if path.is_file() else None


def open_base(out: Path) -> Base:
    """Read what a finished match left beside its output.

    Raises:
        ConfigError: the run did not end, is of another version, or linked files.
    """
    record_path, pairs = run_path(out), beside(out, "pairs")
    for path in (out, record_path, pairs):
        if not path.is_file():
            raise ConfigError(
                f"`against` {out}: there is no {path}; give the `out` of a finished `headrace match`",
                fields=("against", "out"),
            )
    try:
        record = read_record(out)
    except ValueError:
        raise ConfigError(
            f"{record_path} is no record of a run by this version; match again without `against`", fields=("against",)
        ) from None
    if record.job.request.link:
        raise ConfigError(
            f"`against` {out}: it linked files; only a match within one file can be added to", fields=("against",)
        )
    left_out = unused_passes(record.passes or ())
    frozen = Frozen(window=record.window, placeholders=record.placeholders, left_out=left_out)
    return Base(out, record.job, record.model, frozen)


def reopen(
    description: JobDescription, fields: list[FieldHint], folder: Path, kept: tuple[str, ...] = ()
) -> list[Source]:
    """Open the inputs of a finished run again: checked copies of text files went with its workspace.

    Args:
        kept: columns to be given back, which no copy of an earlier run is asked for.
    Raises:
        InputError: a file is gone, or is no longer what was matched.
    """
    found = []
    for number, values in enumerate(description.sources):
        before = Source.from_dict(values)
        if before.left_over:
            found.append(_left_over(before, kept))
            continue
        if not kept and all(Path(name).is_file() for name, _ in before.parts):
            if not before.staged and _digest_now(before) != before.digest:
                raise _changed(before.path)
            found.append(before)
            continue
        columns = {name: "+".join(before.mapping.get(name, ())) for name in (field.name for field in fields)}
        again = open_source(
            Opening(
                before.path,
                id_column=before.id_column,
                fields=fields,
                staging_dir=folder / f"{BASE}-{number}",
                mapping=columns,
                bad_rows="quarantine" if before.quarantined else "raise",
                bad_values=description.request.bad_values,
                day_first=before.date_order,
                readings=before.readings or {},
                may_be_empty=True,
                kept=kept,
                reading=before.reading,
                more=before.more,
            )
        )
        if again.digest != before.digest:
            raise _changed(before.path)
        if again.rows != before.rows:
            # An older version took other rows for bad ones.
            raise InputError(
                f"{before.path}: {before.rows:,} rows were taken when it was matched, this version takes "
                f"{again.rows:,}; match it again",
                path=str(before.path),
            )
        found.append(replace(again, date_order=before.date_order, readings=before.readings))
    return found


def _left_over(before: Source, kept: tuple[str, ...]) -> Source:
    """What is left of a file since records were taken out of it."""
    gone = next((name for name, _ in before.parts if not Path(name).is_file()), None)
    if gone is not None:
        raise InputError(
            f"{gone} is gone, in which the records of {before.path.name} were kept; match again", path=gone
        )
    for name, rows in before.parts:
        if pl.scan_parquet(name).select(pl.len()).collect().item() != rows:
            raise InputError(f"{name} has changed since it was written; match again", path=name)
    wanted = tuple(name for name in before.kept if EVERY in kept or name in kept)
    return replace(before, kept=wanted)


def _digest_now(source: Source) -> str:
    return input_digest(part_files((source.path, *source.more)))


def _changed(path: Path) -> InputError:
    return InputError(f"{path} has changed since it was matched; match it again", path=str(path))


def members_of(base: Base) -> pl.DataFrame:
    """`id`, `entity_id` of all records of a run. Raises InputError: the output is not that of the run beside it."""
    members = read_table(base.out).select(pl.col("id", "entity_id").cast(pl.String))
    if members.height != base.description.rows:
        raise InputError(
            f"{base.out} has {members.height:,} records, but its run had {base.description.rows:,}; match again"
        )
    return members


def keep_base(base: Base, members: pl.DataFrame, leaving: pl.Series, workspace: Workspace) -> None:
    """Copy into the workspace what the stages need of the run that is added to.

    Args:
        members: of `members_of`. leaving: ids of the records that are not there any more: their pairs are forgotten,
            but which entity held them is not.
    """
    folder = workspace.root / BASE
    folder.mkdir(parents=True, exist_ok=True)
    save(folder, _member_arrays(base.out, members))
    pairs = base.table("pairs")
    assert pairs is not None, "looked for in open_base"
    pairs = pairs.select(pl.col(name).cast(dtype) for name, dtype in _PAIRS.items())
    for side in ("id_a", "id_b"):
        pairs = pairs.join(leaving.to_frame(side), on=side, how="anti", maintain_order="left")
    save_frame(folder, "pairs", pairs)
    log = base.table("changes")
    save_frame(folder, "log", pl.DataFrame(schema=LOG_SCHEMA) if log is None else log.cast(LOG_SCHEMA))


def member_keys(ids: tuple[Array, Array], source: Array) -> Array:
    """Name records by their source and id.

    Args:
        ids: bytes of all record ids, and where each begins. source: (n,) u8, from 0.
    Returns:
        (n, 2) u64, a 128-bit hash each: seventy million records share one with a probability of 1e-22.
    Cost: 0.1 us a record; 16 bytes instead of a text.
    """
    if not source.any():
        return entity_keys(np.arange(len(source), dtype=np.uint32), ids, _records_of(0))
    keys = np.empty((len(source), 2), dtype=np.uint64)
    for number in range(int(source.max()) + 1):
        rows = np.flatnonzero(source == number).astype(np.uint32)
        keys[rows] = entity_keys(rows, ids, _records_of(number))
    return keys


def _records_of(source: int) -> str:
    """What records of a source are hashed under; the words for the first two are those of the keys already kept."""
    return (
        ("records of the first source", "records of the second source")[source]
        if source < 2
        else f"records of {source}"
    )


def _member_arrays(out: Path, members: pl.DataFrame) -> dict[str, Array]:
    try:
        entities = uuid_keys(members["entity_id"])
    except ValueError:
        raise InputError(
            f"{out}: an entity_id is none that Headrace gave; match again without `against`", fields=("against",)
        ) from None
    keys = member_keys(flat_bytes(members["id"]), np.zeros(members.height, dtype=np.uint8))
    return dict(zip(MEMBERS, (keys, entities), strict=True))


def known_edges(job: LinkageJob) -> list[Edges]:
    """The edges of the run that an increment adds to, as rows of this job; none for another job."""
    if job.since == 0:
        return []
    frame = load_frame(job.workspace.path(BASE), "pairs")
    rows = np.arange(job.since, dtype=np.uint32)
    named = pl.DataFrame({"id": texts_at("id", rows, job.ids), "row": rows})
    for side in ("a", "b"):
        frame = frame.join(named.rename({"id": f"id_{side}", "row": f"row_{side}"}), on=f"id_{side}", how="left")
    if frame["row_a"].null_count() or frame["row_b"].null_count():
        raise InputError(
            "the pairs of `against` name records that its input does not have; match it again", fields=("against",)
        )
    a, b = frame["row_a"].to_numpy(), frame["row_b"].to_numpy()
    edges = Edges(
        left=np.minimum(a, b),
        right=np.maximum(a, b),
        bits=frame["score"].to_numpy(),
        tf_bits=frame["tf_bits"].to_numpy(),
        pattern=pattern_numbers(frame["pattern"], job.layout),
        passes=frame["passes"].to_numpy(),
    )
    return [edges]
