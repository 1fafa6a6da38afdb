"""Rows on their way in: each batch is checked, bad rows are refused or set aside, good ones are staged as Parquet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.errors import InputError
from core.intake.bad_rows import Fault, Quarantine
from core.intake.columns import ColumnPlan
from core.matching.standardise.dates import (
    IMPOSSIBLE,
    KEYING_ERROR,
    SHORT_YEAR,
    UNREADABLE,
    OrderEvidence,
    survey_dates,
)

BadRows = Literal["raise", "quarantine"]
ROW_GROUP_ROWS = 65_536
BAD_SHARE_MAX = 0.5
# Where a staged row came from; kept beside it so that a repeated id can be shown with both its lines.
ORIGIN = {"line": pl.Int64, "offset": pl.Int64, "bytes": pl.Int64}


@dataclass(slots=True)
class Batch:
    """Rows of the file: `frame` has id and the fields as text; `origin` has (n,) line, offset and bytes of each."""

    frame: pl.DataFrame
    origin: pl.DataFrame
    faults: Sequence[tuple[Fault, bytes]] = ()


@dataclass(slots=True)
class Intake:
    """Takes batches one after the other. `raw` reads a row of the file again; without a `folder` nothing is staged."""

    path: Path
    plan: ColumnPlan
    dates: tuple[str, ...]
    bad_rows: BadRows
    quarantine: Quarantine
    raw: Callable[[int, int], bytes]
    folder: Path | None
    unit: str = "line"
    slips_kept: frozenset[str] = frozenset()
    day_first: Mapping[str, bool] = field(default_factory=dict)
    n_rows: int = 0
    parts: list[tuple[str, int]] = field(default_factory=list)
    evidence: dict[str, OrderEvidence] = field(default_factory=dict)
    kept_dates: dict[str, int] = field(default_factory=dict)
    unread_dates: dict[str, int] = field(default_factory=dict)
    filled: set[str] = field(default_factory=set)
    hashes: list[NDArray[np.uint64]] = field(default_factory=list)

    def add(self, batch: Batch) -> None:
        """Check one batch and stage its good rows.

        Raises:
            RowError: the first bad row of the batch, unless bad rows are set aside.
        """
        bad, statuses, faults = self._check(batch)
        everything = sorted([*batch.faults, *faults], key=lambda pair: pair[0].line)
        if everything and self.bad_rows == "raise":
            raise everything[0][0].error(self.path, self.unit)
        for fault, raw in everything:
            self.quarantine.add(fault, raw)
        good = batch.frame.hstack(batch.origin).filter(~bad) if bad.any() else batch.frame.hstack(batch.origin)
        if not len(good):
            return
        self._count_dates(statuses, bad)
        self.filled.update(name for name in self.plan.mapping if name not in self.filled and _has_text(good, name))
        self.hashes.append(good["id"].hash(seed=0).to_numpy())
        self.n_rows += len(good)
        if self.folder is not None:
            part = self.folder / f"part-{len(self.parts):05d}.parquet"
            good.write_parquet(part, row_group_size=ROW_GROUP_ROWS, compression="lz4", statistics=False)
            self.parts.append((part.name, len(good)))

    def finish(self, rows_of: Callable[[], pl.LazyFrame]) -> None:
        """What only the whole file can tell. `rows_of` gives id, line, offset and bytes of all rows taken, in order.

        Raises:
            InputError: no rows, too many bad ones, or a mapped column without any value. RowError: a repeated id.
        """
        self._refuse_repeats(rows_of)
        n_bad = self.quarantine.count
        if self.n_rows + n_bad == 0:
            raise InputError(f"{self.path} has a header but no rows", path=str(self.path), line=1)
        if n_bad > BAD_SHARE_MAX * (self.n_rows + n_bad):
            raise InputError(
                f"{self.path}: {n_bad} of {self.n_rows + n_bad} rows are bad, more than half; "
                "is it the right file and delimiter?",
                path=str(self.path),
                bad=n_bad,
                rows=self.n_rows + n_bad,
            )
        for name, columns in self.plan.mapping.items():
            if name not in self.filled:
                column = "+".join(columns)
                raise InputError(
                    f"{self.path}, line 1, column {column!r}: empty in every row, but it is mapped to {name}; "
                    f"leave the field out with --map {name}=",
                    path=str(self.path),
                    column=column,
                    field=name,
                )

    def order_of(self, name: str) -> bool:
        """Whether a date column writes the day first: as its values tell, else as was known before."""
        evidence = self.evidence[name]
        told = evidence.n_day_first > 0 or evidence.n_month_first > 0
        return evidence.day_first if told else self.day_first.get(name, False)

    def notices(self) -> list[str]:
        """What the user should know though it stops nothing."""
        found = []
        for name, evidence in self.evidence.items():
            where = f"{self.path.name}: {name}"
            if evidence.n_day_first and evidence.n_month_first:
                order = "day" if evidence.day_first else "month"
                found.append(
                    f"{where}: some dates put the day first, some the month; unclear ones are read {order} first"
                )
            elif evidence.n_either and not evidence.n_day_first and not evidence.n_month_first:
                order = "day" if self.order_of(name) else "month"
                found.append(f"{where}: no date tells whether day or month comes first; read {order} first")
            if self.kept_dates.get(name):
                found.append(f"{where}: {self.kept_dates[name]} values are no dates; kept as keying errors")
            if self.unread_dates.get(name):
                found.append(f"{where}: {self.unread_dates[name]} values cannot be read as dates; taken as missing")
        if self.quarantine.count:
            found.append(f"{self.path.name}: {self.quarantine.count} bad rows set aside in {self.quarantine.path}")
        return found

    def _check(self, batch: Batch) -> tuple[pl.Series, dict[str, pl.Series], list[tuple[Fault, bytes]]]:
        """(n,) which rows are bad; (n,) status of each date; and why rows are bad: the first reason of each."""
        statuses: dict[str, pl.Series] = {}
        bad = batch.frame["id"].is_null()
        reasons: list[tuple[pl.Series, str, Literal["empty_id", "impossible_date", "short_year"]]] = [
            (bad, self.plan.id_column, "empty_id")
        ]
        for name in self.dates:
            status, evidence = survey_dates(batch.frame[name])
            if name in self.slips_kept:
                status = status.replace({IMPOSSIBLE: KEYING_ERROR, SHORT_YEAR: UNREADABLE})
            statuses[name] = status
            self.evidence[name] = self.evidence.get(name, OrderEvidence()) + evidence
            column = "+".join(self.plan.mapping[name])
            reasons.append((status == IMPOSSIBLE, column, "impossible_date"))
            reasons.append((status == SHORT_YEAR, column, "short_year"))
            bad = bad | (status >= IMPOSSIBLE)
        faults: dict[int, Fault] = {}
        if bad.any():
            for mask, column, kind in reasons:
                for row in mask.arg_true().to_list():
                    faults.setdefault(row, Fault(kind, batch.origin["line"][row], column))
        return bad, statuses, [(fault, self._raw_of(batch.origin, row)) for row, fault in faults.items()]

    def _raw_of(self, origin: pl.DataFrame, row: int) -> bytes:
        # Not read when it would only be thrown away.
        if self.bad_rows == "raise":
            return b""
        return self.raw(origin["offset"][row], origin["bytes"][row])

    def _count_dates(self, statuses: dict[str, pl.Series], bad: pl.Series) -> None:
        for name, every in statuses.items():
            status = every.filter(~bad)
            self.kept_dates[name] = self.kept_dates.get(name, 0) + int((status == KEYING_ERROR).sum())
            self.unread_dates[name] = self.unread_dates.get(name, 0) + int((status == UNREADABLE).sum())

    def _refuse_repeats(self, rows_of: Callable[[], pl.LazyFrame]) -> None:
        if not self.hashes:
            return
        ordered = np.sort(np.concatenate(self.hashes))
        twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
        self.hashes.clear()
        if not len(twice):
            return
        # Equal hashes are suspects only; the ids themselves decide.
        suspects = rows_of().with_row_index("row").filter(pl.col("id").hash(seed=0).is_in(pl.Series(twice).implode()))
        repeats = (
            suspects.collect()
            .with_columns(first_line=pl.col("line").first().over("id"), nth=pl.col("row").cum_count().over("id"))
            .filter(pl.col("nth") > 1)
            .sort("row")
        )
        for row in repeats.iter_rows(named=True):
            fault = Fault("repeated_id", row["line"], self.plan.id_column, id=row["id"], first_line=row["first_line"])
            if self.bad_rows == "raise":
                raise fault.error(self.path, self.unit)
            self.quarantine.add(fault, self.raw(row["offset"], row["bytes"]))
        self._drop_rows(repeats["row"].to_numpy().astype(np.int64))

    def _drop_rows(self, rows: NDArray[np.int64]) -> None:
        """Write again the parts that hold the given rows (ascending), without them."""
        if self.folder is None or not len(rows):
            return
        first = 0
        for number, (name, count) in enumerate(self.parts):
            inside = rows[(rows >= first) & (rows < first + count)] - first
            if len(inside):
                part = self.folder / name
                keep = np.ones(count, dtype=bool)
                keep[inside] = False
                kept = pl.read_parquet(part).filter(pl.Series(keep))
                kept.write_parquet(part, row_group_size=ROW_GROUP_ROWS, compression="lz4", statistics=False)
                self.parts[number] = (name, len(kept))
            first += count
        self.n_rows -= len(rows)


def _has_text(frame: pl.DataFrame, name: str) -> bool:
    return frame[name].null_count() < len(frame)
