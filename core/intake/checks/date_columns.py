"""A column of dates on its way in: what its values say together, what cannot be read, and how it is read."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from core.errors import InputError
from core.intake.checks.value_columns import UNREADABLE_ROWS_MIN, UNREADABLE_SHARE_MAX
from core.intake.columns import FieldHint
from core.intake.opening import Opening
from core.matching.standardise.date_forms import (
    DAY_NUMBER,
    FILLER,
    IMPOSSIBLE,
    KEYING_ERROR,
    READ,
    SHORT_YEAR,
    UNREADABLE,
)
from core.matching.standardise.dates import OrderEvidence, survey_dates
from core.matching.standardise.readings import ColumnReading, day_counts, unknown_days

_N_STATUS: Final = DAY_NUMBER + 1
# What values that are no dates look like, the first that most of them fit.
_LOOKS: Final = {
    "dates without separators, day or month first": r"^(?:0?[1-9]|[12]\d|3[01])(?:0[1-9]|1\d|2\d|3[01])(?:19|20)\d{2}$",
    "day numbers of a spreadsheet": r"^\d{5}(?:\.\d+)?$",
    "telephone numbers": r"^\+?[\d() ./-]{7,}$",
    "e-mail addresses": r"@",
    "text": r"^[^\d]+$",
    "numbers": r"^[\d.,]+$",
}


class DateColumn:
    """Takes the values of one column batch by batch. n: values by status, of rows that were taken."""

    def __init__(self, hint: FieldHint, column: str, opening: Opening) -> None:
        self.name, self.column = hint.name, column
        self._hint, self._opening = hint, opening
        self.evidence = OrderEvidence()
        self.n = np.zeros(_N_STATUS, dtype=np.int64)
        self._counts = (day_counts(np.zeros(0, dtype=np.int32)), day_counts(np.zeros(0, dtype=np.int32)))
        self._examples: dict[int, int] = {}
        self._looks = dict.fromkeys(_LOOKS, 0)
        self._status = pl.Series(dtype=pl.UInt8)
        self._n_filled = 0

    def bad(self, texts: pl.Series) -> pl.Series:
        """(n,) which values are refused; the values are taken by `take`."""
        survey = survey_dates(texts)
        self._status = survey.status
        self.evidence += survey.evidence
        first = day_counts(survey.month_first)
        other = first if survey.day_first is survey.month_first else day_counts(survey.day_first)
        self._counts = (self._counts[0] + first, self._counts[1] + other)
        if self._opening.bad_values == "missing":
            return pl.zeros(len(texts), pl.Boolean, eager=True)
        refused = {UNREADABLE, IMPOSSIBLE, *([SHORT_YEAR] if self._opening.years_until is None else [])}
        return self._status.is_in(list(refused - ({IMPOSSIBLE} if self._hint.slips_kept else set())))

    def take(self, texts: pl.Series, lines: pl.Series, bad: pl.Series) -> None:
        """Count the values of the last batch without those of bad rows."""
        refused = texts.filter(bad)
        self.n += np.bincount(self._status.to_numpy(), minlength=_N_STATUS)
        self.n -= np.bincount(self._status.filter(bad).to_numpy(), minlength=_N_STATUS)
        self._n_filled += len(texts) - texts.null_count() - len(refused) + refused.null_count()
        odd = (self._status != READ) & ~bad
        if not odd.any():
            return
        kinds, where = self._status.filter(odd), lines.filter(odd)
        for kind in kinds.unique().to_list():
            self._examples.setdefault(kind, int(where.filter(kinds == kind)[0]))
        strange = texts.filter(odd & self._status.is_in([UNREADABLE, KEYING_ERROR, DAY_NUMBER])).drop_nulls()
        for look, pattern in _LOOKS.items():
            self._looks[look] += int(strange.str.contains(pattern).sum())

    @property
    def day_first(self) -> bool:
        """Whether the day is written first: as the values tell, else as was known before."""
        told = self.evidence.n_day_first > 0 or self.evidence.n_month_first > 0
        return self.evidence.day_first if told else self._opening.day_first.get(self.name, False)

    @property
    def reading(self) -> ColumnReading:
        """How the column is read."""
        if self._opening.readings is not None and self.name in self._opening.readings:
            return self._opening.readings[self.name]
        days, of_month = unknown_days(self._counts[int(self.day_first)])
        short = self.n[SHORT_YEAR] > 0
        missing = self._opening.bad_values == "missing" and not (self._hint.slips_kept or self._hint.digits_count)
        return ColumnReading(
            latest=self._opening.years_until if short else None,
            year_first=bool(short and self.evidence.short_year_first),
            day_numbers=self._counts_days,
            unknown_days=days,
            unknown_days_of_month=of_month,
            impossible_is_missing=bool(missing and self.n[IMPOSSIBLE] > 0),
        )

    @property
    def _counts_days(self) -> bool:
        """Most values are day numbers, so all are."""
        return bool(2 * self.n[DAY_NUMBER] > self._n_filled - self.n[FILLER])

    @property
    def _n_lost(self) -> dict[int, int]:
        """Values that cannot be read, by status."""
        lost = {kind: int(self.n[kind]) for kind in (UNREADABLE, IMPOSSIBLE, KEYING_ERROR)}
        lost[DAY_NUMBER] = 0 if self.reading.day_numbers else int(self.n[DAY_NUMBER])
        lost[SHORT_YEAR] = int(self.n[SHORT_YEAR]) if self.reading.latest is None else 0
        return lost

    def refuse_strangers(self, path: Path, unit: str) -> None:
        """Refuse a column that is no column of dates.

        Raises:
            InputError: more than a fifth of its values cannot be read.
        """
        # A file that is opened again was taken before.
        lost, known = self._n_lost, self._opening.readings is not None and self._opening.years_until is None
        n_lost, n_said = sum(lost.values()), self._n_filled - int(self.n[FILLER])
        if known or n_lost < UNREADABLE_ROWS_MIN or n_lost <= UNREADABLE_SHARE_MAX * n_said:
            return
        line = min(self._examples[kind] for kind, count in lost.items() if count)
        look = next((f"; they look like {look}" for look, n in self._looks.items() if 2 * n > n_lost), "")
        if lost[SHORT_YEAR] * 2 > n_lost:
            look = "; their years have two digits: say with `year_pivot` how they are read"
        raise InputError(
            f"{path}, column {self.column!r}: {n_lost:,} of {n_said:,} values are no dates, the first in {unit} "
            f"{line}{look}; name the right column for {self.name} with `mapping`, or leave the field out with "
            f"`mapping` {self.name}=",
            path=str(path),
            line=line,
            column=self.column,
            field=self.name,
            values=n_lost,
            fields=("mapping", "year_pivot"),
        )

    def notices(self, unit: str) -> list[str]:
        """What is to be said of the column."""
        found, evidence, n = [], self.evidence, self.n
        order = "day" if self.day_first else "month"
        if evidence.n_day_first and evidence.n_month_first:
            found.append(f"some dates put the day first, some the month; unclear ones are read {order} first")
        elif evidence.n_either and not evidence.n_day_first and not evidence.n_month_first:
            found.append(f"no date tells whether day or month comes first; read {order} first")
        where = {kind: f"e.g. {unit} {line}" for kind, line in self._examples.items()}
        kept = self._hint.slips_kept or self._hint.digits_count
        treated = "their digits are compared" if kept else "taken as missing"
        if n[KEYING_ERROR]:
            found.append(f"{n[KEYING_ERROR]} values are no dates; kept as keying errors ({where[KEYING_ERROR]})")
        if n[IMPOSSIBLE]:
            found.append(f"{n[IMPOSSIBLE]} dates do not exist; {treated} ({where[IMPOSSIBLE]})")
        said = (KEYING_ERROR, IMPOSSIBLE)
        unread = {kind: count for kind, count in self._n_lost.items() if kind not in said and count}
        if unread:
            line = min(self._examples[kind] for kind in unread)
            n_unread = sum(unread.values())
            found.append(f"{n_unread} values cannot be read as dates; taken as missing (e.g. {unit} {line})")
        if n[FILLER]:
            found.append(f"{n[FILLER]} values stand for no date; taken as missing ({where[FILLER]})")
        return [f"{self.name}: {each}" for each in (*found, *self._said_of_reading())]

    def _said_of_reading(self) -> list[str]:
        reading, n = self.reading, self.n
        said = []
        if reading.latest is not None and n[SHORT_YEAR]:
            year, rest = divmod(reading.latest, 10_000)
            until = f"as {year - 99} to {year}" if rest == 1231 else f"as no later than {_day(reading.latest)}"
            said.append(f"{n[SHORT_YEAR]} years have two digits; read {until} (`year_pivot` sets the first year)")
        if reading.day_numbers and n[DAY_NUMBER]:
            said.append(f"{n[DAY_NUMBER]} values are day numbers of a spreadsheet; read as the dates they count")
        if reading.unknown_days:
            days = ", ".join(f"{day // 100:02d}-{day % 100:02d}" for day in reading.unknown_days)
            said.append(f"the day {days} stands far too often; taken as a day not known, and compared by its year")
        if reading.unknown_days_of_month:
            days = ", ".join(map(str, reading.unknown_days_of_month))
            said.append(f"day {days} of months stands far too often; taken as not known: year and month are compared")
        return said


def _day(date: int) -> str:
    return f"{date // 10_000:04d}-{date // 100 % 100:02d}-{date % 100:02d}"
