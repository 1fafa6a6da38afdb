"""What is asked of a file of records that is about to be opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

from core.intake.columns import ColumnPlan, FieldHint, kept_of, plan_columns
from core.intake.file_digest import FileState
from core.intake.known_names.linked_columns import LinkedColumns, plan_linked
from core.intake.reading import NOTHING_SAID, Reading
from core.intake.tables.part_files import PartFile, part_files
from core.matching.standardise.readings import ColumnReading

BadRows = Literal["raise", "quarantine"]
OnPlan = Callable[[Sequence[str], ColumnPlan], None]
BadValues = Literal["missing", "refuse"]


@dataclass(frozen=True)
class Opening:
    """A file of records, what its columns are taken for, and what becomes of its bad rows.

    Args:
        mapping: field (or alias) -> column; "" leaves the field out, "a+b" joins columns with a space, or reads both
            where the field gathers. Fields that are not named are served by a column of their name or an alias, if
            there is one.
        staging_dir: made if need be; what is staged goes below it.
        bad_rows: "raise" ends at the first bad row; "quarantine" sets them aside in `quarantine_path` (or staging_dir).
        day_first: per date field, for files whose own dates do not tell.
        bad_values: "missing" takes what cannot be read as missing, and dates that do not exist by their digits where
            these are evidence; "refuse" ends at the first.
        years_until: yyyymmdd; a year of two digits is the latest that comes no later. None: it cannot be read.
        readings: of columns, where they were decided before; None: they are found.
        may_be_empty: take a mapped column without any value, as a file of few records may well have.
        linked: for a file that is linked with another, whose columns the above are: what its own are called.
        more: files read behind `path` as one table with it; each may be a file, a folder of parts, or a pattern.
        on_plan: is shown the file's columns and what they serve, before a row is read; what it raises ends the opening.
        kept: columns to be given back beside the answer, as far as the file has them; EVERY: all.
        reading: what the user says about encoding, delimiter, lines above the header, sheet.
        seen: the states of the files when their digest was taken; empty: now.
        digest: SHA-256 of the file's bytes where it is known already; a CSV's is found on the way.
    """

    path: Path
    id_column: str
    fields: Sequence[FieldHint]
    staging_dir: Path
    mapping: Mapping[str, str] = field(default_factory=dict)
    bad_rows: BadRows = "raise"
    quarantine_path: Path | None = None
    day_first: Mapping[str, bool] = field(default_factory=dict)
    bad_values: BadValues = "missing"
    years_until: int | None = None
    readings: Mapping[str, ColumnReading] | None = None
    may_be_empty: bool = False
    reading: Reading = NOTHING_SAID
    digest: str | None = None
    linked: LinkedColumns | None = None
    seen: tuple[FileState, ...] = ()
    more: tuple[Path, ...] = ()
    on_plan: OnPlan = lambda _columns, _plan: None
    kept: tuple[str, ...] = ()

    @cached_property
    def parts(self) -> tuple[PartFile, ...]:
        """The files whose rows are read, in their order. Raises as `part_files`."""
        return part_files((self.path, *self.more))

    @property
    def side_file(self) -> Path:
        """Where rows are set aside."""
        return self.quarantine_path or self.staging_dir / "bad_rows.csv"

    def plan(self, columns: Sequence[str]) -> ColumnPlan:
        """Which of the file's columns serve which field. Raises as `plan_columns` and `plan_linked`."""
        if self.linked is None:
            plan = plan_columns(columns, self.path, self.id_column, self.mapping, self.fields)
        else:
            first = LinkedColumns(self.id_column, self.mapping)
            plan = plan_linked(columns, self.path, first, self.linked, self.fields)
        self.on_plan(columns, plan)
        return replace(plan, kept=kept_of(columns, plan.id_column, self.kept))
