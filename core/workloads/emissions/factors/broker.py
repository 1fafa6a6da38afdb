"""Figures by code from a pinned set, one or many at once, without a choice to make: for whoever knows the very code."""

from __future__ import annotations

from fractions import Fraction

import polars as pl

from core.errors import InputError
from core.workloads.emissions.factors.sets import FactorSet
from core.workloads.emissions.rules.gases import co2e


class FactorBroker:
    """Look-ups in one scheme of a set; of several members with a code the preferred answers.

    The set is pinned: another edition is another broker, so nothing that was looked up can change.
    """

    def __init__(self, factor_set: FactorSet, scheme: str, gwp_set: str = "AR5") -> None:
        self.scheme = scheme
        rows: dict[str, tuple[str, int, str, Fraction]] = {}
        for member in factor_set.members:
            for number, factor in enumerate(member.factors, 1):
                if factor.scheme != scheme or factor.code in rows:
                    continue
                if factor.gases:
                    kg = co2e({gas: Fraction(whole) for gas, whole, _ in factor.gases}, gwp_set)
                elif factor.value is None:
                    continue
                else:
                    kg = Fraction(factor.value)
                rows[factor.code] = (member.dataset_id, number, factor.unit, kg)
        self._rows = rows
        self._codes = pl.Enum(list(rows))
        found = list(rows.values())
        self._table = pl.DataFrame(
            {
                "dataset_id": [dataset for dataset, *_ in found],
                "factor_no": [number for _, number, *_ in found],
                "unit": [unit for *_, unit, _ in found],
                "kg_a_unit": [float(kg) for *_, kg in found],
            },
            schema={
                "dataset_id": pl.Categorical,
                "factor_no": pl.Int32,
                "unit": pl.Categorical,
                "kg_a_unit": pl.Float64,
            },
        )

    def look_up(self, code: str) -> tuple[str, int, str, Fraction]:
        """Data set, number, unit and kg CO2e a unit. Raises InputError: the set has no figure of that code."""
        if code not in self._rows:
            raise InputError(f"there is no figure for {self.scheme} {code} in the set", code=code)
        return self._rows[code]

    one = look_up

    def places(self, codes: pl.Series) -> pl.Series:
        """UInt32: rows of `table` by code; null where the set has no figure. Cost: some 20 ns a code."""
        return codes.cast(self._codes, strict=False).to_physical().cast(pl.UInt32)

    def many(self, codes: pl.Series) -> pl.DataFrame:
        """dataset_id, factor_no, unit, kg_a_unit of each code; nulls where the set has no figure."""
        return self._table.select(pl.all().gather(self.places(codes)))
