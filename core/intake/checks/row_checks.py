"""Rows on their way in: each batch is checked, bad rows are refused or set aside, good ones are staged as Parquet."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.errors import InputError
from core.intake.bad_rows import Fault, Quarantine
from core.intake.checks.date_columns import DateColumn
from core.intake.checks.number_columns import NUMBERED_KINDS, NumberColumn
from core.intake.checks.set_aside import LEFT_OUT_MAX, ROWS_AT_ONCE, BadRow, RawsOf, SetAside, too_many
from core.intake.checks.value_columns import CHECKED_KINDS, ValueColumn
from core.intake.checks.whole_names import WholeNameColumn
from core.intake.columns import ColumnPlan
from core.intake.opening import BadRows, Opening
from core.matching.standardise.readings import AS_WRITTEN, ColumnReading
from core.matching.standardise.several_values import ValueCounts
from core.matching.text.string_views import bytes_in

ROW_GROUP_ROWS = 65_536
BAD_SHARE_MAX = 0.5
# Where a staged row came from; kept beside it so that a repeated id can be shown with both its lines.
ORIGIN = {"part": pl.Int32, "line": pl.Int64, "offset": pl.Int64, "bytes": pl.Int64}


@dataclass(slots=True)
class Batch:
    """Rows of one file: `frame` has id and the fields as text; `origin` has (n,) part, line, offset, bytes of each.

    part: number of the file among those of the input, from 0 on.
    """

    frame: pl.DataFrame
    origin: pl.DataFrame
    faults: Sequence[tuple[Fault, bytes]] = ()
    part: int = 0


class Intake:
    """Takes batches one after the other; without a `folder` nothing is staged, and bad rows wait for `aside.write`.

    raws: reads rows again.
    """

    def __init__(
        self,
        opening: Opening,
        plan: ColumnPlan,
        quarantine: Quarantine,
        *,
        unit: Literal["line", "row"],
        raws: RawsOf,
        folder: Path | None = None,
    ) -> None:
        self.path = opening.path
        self.files = tuple(part.path for part in opening.parts)
        self.plan = plan
        self.quarantine = quarantine
        self.aside = SetAside(quarantine, self.files, raws)
        self.n_rows = 0
        self.parts: list[tuple[str, int]] = []
        # Of each part the rows in it that do not count, if there are any.
        self.left_out: list[tuple[int, ...]] = []
        self.dates = {
            hint.name: DateColumn(hint, "+".join(plan.mapping[hint.name]), opening)
            for hint in opening.fields
            if hint.kind == "date" and hint.name in plan.mapping
        }
        self.numbers = {
            hint.name: NumberColumn(hint, opening)
            for hint in opening.fields
            if hint.kind in NUMBERED_KINDS and hint.name in plan.mapping
        }
        self.values = {
            hint.name: ValueColumn(hint, "+".join(plan.mapping[hint.name]), opening)
            for hint in opening.fields
            if hint.kind in CHECKED_KINDS and hint.name in plan.mapping
        }
        self.whole = {name: WholeNameColumn("+".join(plan.mapping[name]), opening) for name in sorted(plan.whole)[-1:]}
        hints = {hint.name: hint for hint in opening.fields if hint.name in plan.mapping and hint.kind != "date"}
        telephones = [name for name, hint in hints.items() if hint.gathers]
        self.counts = ValueCounts({name: hint.kind for name, hint in hints.items()}, telephones)
        # What counts as filled from the start is not missed at the end.
        self.filled = set(plan.mapping) if opening.may_be_empty else set()
        self._bad_rows: BadRows = opening.bad_rows
        self._unit, self._folder = unit, folder
        self._empty: list[str] = []
        self._hashes: list[NDArray[np.uint64]] = []

    def staged(self) -> pl.LazyFrame:
        """The id and the place of every row staged, in order."""
        assert self._folder is not None, "nothing is staged without a folder"
        return pl.scan_parquet([self._folder / name for name, _ in self.parts]).select("id", *ORIGIN)

    def add(self, batch: Batch) -> None:
        """Check one batch and stage its good rows.

        Raises:
            RowError: the first bad row of the batch, unless bad rows are set aside.
        """
        bad, rows = self._check(batch)
        everything = [*(BadRow(fault, batch.part, raw=raw) for fault, raw in batch.faults), *rows]
        everything.sort(key=lambda row: row.fault.line)
        if everything and self._bad_rows == "raise":
            raise everything[0].fault.error(self.files[batch.part], self._unit)
        self._set_aside(everything)
        for name, column in self.dates.items():
            column.take(batch.frame[name], batch.origin["line"], bad)
        good = ~bad if bad.any() else None
        present = {name: bytes_in(batch.frame[name]) for name in self.counts.names}
        for name, values in self.values.items():
            texts, lines = batch.frame[name], batch.origin["line"]
            some = (texts, lines) if good is None else (texts.filter(good), lines.filter(good))
            values.take(*some, present[name])
        for name, names in self.whole.items():
            names.take(batch.frame[name].filter(~bad), batch.origin["line"].filter(~bad))
        refused = batch.frame.filter(bad)
        n_good = len(bad) - len(refused)
        if not n_good:
            return
        self._count(batch.frame, refused, present)
        hashes = batch.frame["id"].hash(seed=0).to_numpy()
        self._hashes.append(hashes[~bad.to_numpy()] if len(refused) else hashes)
        self.n_rows += n_good
        if self._folder is not None:
            whole = batch.frame.hstack(batch.origin)
            part = self._folder / f"part-{len(self.parts):05d}.parquet"
            kept = whole.filter(~bad) if len(refused) else whole
            kept.write_parquet(part, row_group_size=ROW_GROUP_ROWS, compression="lz4", statistics=False)
            self.parts.append((part.name, n_good))

    def _count(self, frame: pl.DataFrame, refused: pl.DataFrame, present: Mapping[str, NDArray[np.bool_]]) -> None:
        """Count the values of all rows less those of bad ones: no column is copied to leave out a few."""
        for rows, sign in ((frame, 1), (refused, -1)):
            if len(rows):
                for name, numbers in self.numbers.items():
                    numbers.take(rows[name], present[name], sign)
                self.counts.add(rows, present, sign)
        for name in self.plan.mapping:
            if name not in self.filled and _n_texts(frame[name]) > _n_texts(refused[name]):
                self.filled.add(name)

    def finish(self, rows_of: Callable[[], pl.LazyFrame]) -> None:
        """What only the whole file can tell. `rows_of` gives id, line, offset and bytes of all rows taken, in order.

        Raises:
            InputError: no rows, or too many bad ones. RowError: a repeated id.
        """
        self._refuse_repeats(rows_of)
        n_bad = self.aside.count
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
        for checked in self._checked:
            checked.refuse_strangers(self.path, self._unit)
        self._drop_empty()

    def _drop_empty(self) -> None:
        """Treat fields without any value as if no column served them."""
        plan = self.plan
        empty = {name: columns for name, columns in plan.mapping.items() if name not in self.filled}
        if not empty:
            return
        self._empty = ["+".join(columns) for columns in empty.values()]
        kept = {name: columns for name, columns in plan.mapping.items() if name not in empty}
        unmapped = (*plan.unmapped, *empty)
        self.plan = replace(plan, mapping=kept, unmapped=unmapped, apart=plan.apart - set(empty))
        self.dates = {name: dates for name, dates in self.dates.items() if name in kept}
        self.numbers = {name: numbers for name, numbers in self.numbers.items() if name in kept}
        self.values = {name: values for name, values in self.values.items() if name in kept}
        self.whole = {name: names for name, names in self.whole.items() if name in kept}

    @property
    def _checked(self) -> list[DateColumn | ValueColumn | WholeNameColumn]:
        return [*self.dates.values(), *self.values.values(), *self.whole.values()]

    @property
    def readings(self) -> dict[str, ColumnReading]:
        """How columns are read that are not read as they are written."""
        found = {name: dates.reading for name, dates in self.dates.items()}
        found |= {name: values.reading for name, values in self.values.items()}
        found |= {name: numbers.reading for name, numbers in self.numbers.items()}
        for names in self.whole.values():
            found |= {name: reading for name, reading in names.readings.items() if name in self.plan.whole}
        return {name: reading for name, reading in found.items() if reading != AS_WRITTEN}

    def notices(self) -> list[str]:
        """What the user should know though it stops nothing."""
        found = [f"{self.path.name}: {said}" for column in self._checked for said in column.notices(self._unit)]
        found += [f"{self.path.name}: {said}" for column in self.numbers.values() for said in column.notices()]
        found += [f"{self.path.name}: {said}" for said in self.counts.notices()]
        found += [f"{self.path.name}: column {name!r} is empty in every row; it is left out" for name in self._empty]
        if self.quarantine.count:
            found.append(f"{self.path.name}: {self.quarantine.count} bad rows set aside in {self.quarantine.path}")
        return found

    def _check(self, batch: Batch) -> tuple[pl.Series, list[BadRow]]:
        """(n,) which rows are bad; and why they are: the first reason of each."""
        bad = batch.frame["id"].is_null()
        reasons: list[tuple[pl.Series, str, Literal["empty_id", "unreadable_date"]]] = [
            (bad, self.plan.id_column, "empty_id")
        ]
        for name, column in self.dates.items():
            refused = column.bad(batch.frame[name])
            reasons.append((refused, column.column, "unreadable_date"))
            bad = bad | refused
        rows: list[BadRow] = []
        seen = pl.zeros(len(bad), pl.Boolean, eager=True)
        for mask, where, kind in reasons:
            places = batch.origin.filter(mask & ~seen).select("line", "part", "offset", "bytes")
            rows += [BadRow(Fault(kind, line, where), *place) for line, *place in places.iter_rows()]
            seen = seen | mask
        return bad, rows

    def _set_aside(self, rows: Iterable[BadRow]) -> None:
        self.aside.take(rows)
        if self._folder is not None:
            self.aside.write()

    def _refuse_repeats(self, rows_of: Callable[[], pl.LazyFrame]) -> None:
        if not self._hashes:
            return
        ordered = np.sort(np.concatenate(self._hashes))
        twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
        self._hashes.clear()
        if not len(twice):
            return
        # Equal hashes are suspects only; the ids themselves decide.
        suspects = rows_of().with_row_index("row").filter(pl.col("id").hash(seed=0).is_in(pl.Series(twice).implode()))
        repeats = (
            suspects.collect()
            .with_columns(
                first_line=pl.col("line").first().over("id"),
                first_part=pl.col("part").first().over("id"),
                nth=pl.col("row").cum_count().over("id"),
            )
            .filter(pl.col("nth") > 1)
            .sort("row")
        )
        if len(repeats) and (self._bad_rows == "raise" or self.plan.id_guessed):
            first = repeats.row(0, named=True)
            raise self._repeat(first).error(self.files[first["part"]], self._unit)
        if self._folder is None:
            repeats = repeats.head(LEFT_OUT_MAX + 1)
        for some in repeats.iter_slices(ROWS_AT_ONCE):
            self._set_aside(
                BadRow(self._repeat(row), row["part"], row["offset"], row["bytes"])
                for row in some.iter_rows(named=True)
            )
        self._drop_rows(repeats["row"].to_numpy().astype(np.int64))

    def _repeat(self, row: dict[str, Any]) -> Fault:
        first_file = self.files[row["first_part"]].name if row["first_part"] != row["part"] else None
        return Fault(
            "repeated_id",
            row["line"],
            self.plan.id_column,
            id=row["id"],
            first_line=row["first_line"],
            first_file=first_file,
        )

    def _drop_rows(self, rows: NDArray[np.int64]) -> None:
        """Leave out the given rows (ascending) of what is staged; where they are many, write their parts again."""
        few = not too_many(len(rows), self.n_rows)
        self.n_rows -= len(rows)
        if self._folder is None or not len(rows):
            return
        first = 0
        for number, (name, count) in enumerate(self.parts):
            inside = rows[(rows >= first) & (rows < first + count)] - first
            if few:
                self.left_out.append(tuple(inside.tolist()))
                self.parts[number] = (name, count - len(inside))
            elif len(inside):
                part = self._folder / name
                keep = np.ones(count, dtype=bool)
                keep[inside] = False
                kept = pl.read_parquet(part).filter(pl.Series(keep))
                kept.write_parquet(part, row_group_size=ROW_GROUP_ROWS, compression="lz4", statistics=False)
                self.parts[number] = (name, len(kept))
            first += count


def _n_texts(texts: pl.Series) -> int:
    return len(texts) - texts.null_count()


@dataclass(frozen=True, slots=True)
class Taken:
    """A file whose rows are checked.

    folder: where its good rows were staged; None: they are read where they lie. detected: as in `Source`.
    places: the files that are read where they lie, and rows of each.
    notices: about the file as such; those about its rows are the intake's.
    left_out: where they are read where they lie, of each place the numbers (from 0) of bad rows, ascending.
    """

    intake: Intake
    digest: str
    id_dtype: pl.DataType
    folder: Path | None
    detected: Mapping[str, str] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    places: tuple[tuple[str, int], ...] = ()
    left_out: tuple[tuple[int, ...], ...] = ()


def stage(staging_dir: Path, fill: Callable[[Path], Intake]) -> tuple[Intake, Path]:
    """Let `fill` write parts into a folder that takes its name when all is well and vanishes when not."""
    partial, final = staging_dir / ".rows.partial", staging_dir / "rows"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        intake = fill(partial)
        shutil.rmtree(final, ignore_errors=True)
        partial.rename(final)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return intake, final
